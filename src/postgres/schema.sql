-- Schema version 9 of the inbox in PostgreSQL, for an empty schema that is first in `search_path`. Once a release has shipped
-- it, this file never changes; `migrations.ts` holds the steps to and from this version. Times are milliseconds since 1970, unless a column says otherwise.

-- The applied schema versions.
create table schema_migrations (
  version int primary key,
  min_version int not null,                 -- programs that know only older versions can no longer use the tables
  applied_at timestamptz not null default now()
);
insert into schema_migrations (version, min_version) values (9, 2);

-- Rows are small, because lists are read from here, and each change of state writes a whole row.
create table deliveries (
  id bigint primary key,
  identity bytea not null,                  -- a hash of GUID, source, hook id and secret id; of a conflict, also of its bytes
  variant int not null,                     -- above 0: a conflict
  source text not null,
  hook_id text not null,
  guid text not null,
  event text not null,
  state text not null default 'pending',    -- holds only while no task runs, see "delivery-reader/states.ts"
  matched boolean not null default false,   -- false: a worker has yet to match it with handlers
  rerun boolean not null default false,     -- true: handlers that succeeded run again, too
  next_at bigint,                           -- holds only while no task runs
  received_at bigint not null,
  stored_at bigint not null,
  batch bigint not null,                    -- the transaction that stored it; -id if it was imported
  sha256 bytea not null,
  replay_key bigint not null,               -- 6 bytes of sha256
  headers_size int not null,                -- bytes of the headers
  size int not null,                        -- bytes of the body
  trace text,
  form text not null check (form in ('json', 'form')),
  address text,
  secret_id text,
  secret_index int,
  algorithm text,
  pulled boolean not null,
  duplicates int not null default 0,
  replayed boolean not null default false,
  reason text,
  action text,
  repository text,
  sender text,
  title text,
  ref text,
  sha text,
  number bigint,
  edited_from bigint,
  pack bigint,                              -- the id of its pack in "contents"; null: the same as "id"
  start int not null default 0,             -- bytes before its content in the decompressed pack
  duration_class int                        -- see `duration-class.ts`; null: its attempts took less than a second together
);

-- The ids of deliveries. Ids are in order of receipt, but "store.ts" inserts rows in the order of identities. So the
-- column "id" does not have this sequence as its default: a default would number the rows in the order of the inserts.
create sequence delivery_ids;

create unique index deliveries_identity on deliveries (identity, variant);
create index deliveries_unmatched on deliveries (id) where not matched;
create index deliveries_state on deliveries (state, id);
create index deliveries_event on deliveries (event, id);
create index deliveries_repository on deliveries (repository, id) where repository is not null;
create index deliveries_number on deliveries (number, id) where number is not null;
-- Sorted by bytes, so that all values with the same beginning are together.
create index deliveries_sha on deliveries (sha collate "C", id) where sha is not null;
create index deliveries_ref on deliveries (ref collate "C", id) where ref is not null;
create index deliveries_duration on deliveries (duration_class, id) where duration_class is not null;
create index deliveries_replay on deliveries (replay_key, id) where matched;

-- The number of deliveries in a state is the sum of the rows of the state. Each statement that changes the number adds
-- a row with the difference.
create table state_counts (state text not null, count bigint not null);

create function count_states() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into state_counts select state, count(*) from added group by state;
  elsif tg_op = 'DELETE' then
    insert into state_counts select state, -count(*) from gone group by state;
  else
    insert into state_counts
    select state, sum(one) from (select state, 1 as one from added union all select state, -1 from gone) as moved
    group by state
    having sum(one) <> 0;
  end if;
  return null;
end $$;

create trigger state_counts_added after insert on deliveries
  referencing new table as added for each statement execute function count_states();
create trigger state_counts_changed after update on deliveries
  referencing old table as gone new table as added for each statement execute function count_states();
create trigger state_counts_gone after delete on deliveries
  referencing old table as gone for each statement execute function count_states();

-- Packs: contents of deliveries that one transaction stored, compressed together. Each content is the headers as JSON,
-- then the exact body. Rows never change.
create table contents (
  delivery_id bigint primary key,           -- the first delivery of the pack; its id is also the id of the pack
  bytes bytea not null,                     -- compressed with zstd
  last bigint                               -- the last delivery of the pack; null: there is only one
);
alter table contents alter column bytes set storage external;

-- When the deliveries of a batch were acknowledged.
create table acks (batch bigint primary key, at bigint not null);

-- One task for each handler of a delivery. It is due from "next_at" on. A pending task whose "next_at" is null
-- is blocked: it waits for another task with the same order key.
create table tasks (
  delivery_id bigint not null,
  handler text not null,
  state text not null,
  next_at bigint,
  start_at bigint,                          -- the task is not due earlier; null: no such limit
  delay bigint,                             -- milliseconds from the end of the latest attempt to "next_at"
  order_key text,
  order_hash bigint,                        -- a hash of handler and "order_key"
  attempt int not null default 0,
  attempts_used int not null default 0,
  worker bigint,                            -- holds the lease while the task runs
  started_at bigint,
  claimed_after bigint,                     -- the delivery whose result claimed the running attempt; null: another call did
  claimed_after_attempt int,                -- the attempt with this result
  claimed_ahead boolean not null default false, -- if the lease of the running attempt expires, it is uncounted
  uncounted int not null default 0,         -- how many of "attempts_used" do not count against the limit
  failure_group bigint,                     -- the group of its latest failure; null: it has none that is unresolved
  failed_at bigint,                         -- when that attempt failed
  pass bigint not null default 0,           -- of the due tasks of a handler with "next_at" 0, the lowest pass runs first
  fair_key text,                            -- the repository or installation whose tasks share the passes; null: pass 0
  primary key (delivery_id, handler)
);

create index tasks_due on tasks (handler, next_at, pass, delivery_id) where next_at is not null;
create index tasks_fair on tasks (handler, fair_key, state, pass) where next_at = 0 and fair_key is not null;
create index tasks_running on tasks (worker) where worker is not null;
create index tasks_order on tasks (order_hash, delivery_id)
  where order_hash is not null and state in ('pending', 'running', 'retrying');
create index tasks_failure on tasks (failure_group, failed_at) where failure_group is not null;
-- An expression, so that PostgreSQL cannot take "tasks_failure" for this index, and sort all tasks of a group.
create index tasks_failed_delivery on tasks ((failure_group + 0), delivery_id) where failure_group is not null;

-- Failures of one handler with the same normalized error. A group without tasks is resolved, and is deleted later.
create table failure_groups (
  id bigint primary key,                    -- 6 bytes of a hash of "handler" and "error"
  handler text not null,
  error text not null,                      -- normalized
  first_at bigint not null,
  returned_at bigint,                       -- when it got a task after it had been resolved
  resolved_at bigint                        -- when the maintenance found no task of it
);

create index failure_groups_resolved on failure_groups (resolved_at);

-- Counts of each group: sums of rows, as in "state_counts". A task without a failure costs nothing.
create table failure_counts (
  failure_group bigint not null,
  measure text not null,                    -- a state: its tasks in this state. "failed": the failures in an hour
  hour bigint not null,                     -- since 1970; 0 for a state
  count bigint not null
);

create function count_failures() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op <> 'INSERT' then
    insert into failure_counts select old.failure_group, old.state, 0, -1 where old.failure_group is not null;
  end if;
  if tg_op <> 'DELETE' then
    insert into failure_counts select new.failure_group, new.state, 0, 1 where new.failure_group is not null;
    if new.failure_group is not null and (tg_op = 'INSERT' or new.failed_at is distinct from old.failed_at) then
      insert into failure_counts values (new.failure_group, 'failed', new.failed_at / 3600000, 1);
    end if;
  end if;
  return null;
end $$;

create trigger failure_counts_added after insert on tasks
  for each row when (new.failure_group is not null) execute function count_failures();
create trigger failure_counts_changed after update of state, failure_group, failed_at on tasks
  for each row when (old.failure_group is not null or new.failure_group is not null) execute function count_failures();
create trigger failure_counts_gone after delete on tasks
  for each row when (old.failure_group is not null) execute function count_failures();

create table attempts (
  delivery_id bigint not null,
  handler text not null,
  number int not null,
  started_at bigint not null,
  duration bigint,
  outcome text not null,
  error text,
  result text,
  log text,
  primary key (delivery_id, handler, number)
);

-- The failed attempts of each handler by the time of their end, for the latest one. An expression, so that PostgreSQL does
-- not read the index for the failed attempts of one delivery.
create index attempts_failed on attempts (handler, (started_at + coalesce(duration, 0)))
  where (outcome || '') in ('failed', 'dead');

-- How many attempts to parse a large payload have begun since the last one that finished. If the process ends during an
-- attempt, the attempt stays counted.
create table match_attempts (delivery_id bigint primary key, count int not null);

-- Remains of a deleted delivery, for as long as GitHub may send it again.
create table tombstones (
  identity bytea not null,
  hook_id text not null,
  variant int not null,
  sha256 bytea not null,
  state text not null,
  pulled boolean not null,
  pruned_at bigint not null,
  primary key (identity, variant)
);

create index tombstones_age on tombstones (pruned_at);

-- The deliveries that each transaction has stored or changed, for streams of changes.
create table changes (
  id bigint generated always as identity primary key,
  transaction xid8 not null default pg_current_xact_id(),
  deliveries bigint[] not null
);

create index changes_transaction on changes (transaction, id);

-- Workers that may hold leases. A lease expires when the heartbeats of its worker stop.
create table workers (
  id bigint generated always as identity primary key,
  handlers jsonb not null,                  -- names and policies
  heartbeats bigint not null default 0,     -- the latest one: a number, so that a clock that jumps expires no lease
  interval int not null                     -- milliseconds between two heartbeats
);

-- Processes that use the inbox, for display.
create table processes (
  id text primary key,
  role text not null,
  host text not null,
  pid int not null,
  version text not null,
  started_at bigint not null,
  seen_at timestamptz not null default now(),
  problems text                             -- of its worker, as JSON
);

-- "seen_at" is when a registered worker last had the handler. If no worker has ever had the handler, "seen_at" is when
-- the maintenance first found a task of the handler. After time without any worker, the maintenance adds this time to
-- each "seen_at". If "seen_at" is longer ago than `vanishAfter`, the due tasks of the handler end as `gone`.
create table handlers (name text primary key, seen_at bigint not null);

create table pauses (handler text primary key);

-- Leases by name: each lets one process at a time do some work.
create table leases (name text primary key, holder text not null, until timestamptz not null);

-- Deliveries that GitHub sent, and that were not in the inbox when a sweep looked for them.
create table missed_deliveries (
  hook_id text not null,
  guid text not null,
  target text not null,
  event text not null,
  action text,
  delivery_id text not null,                -- the id of the newest entry with this GUID in GitHub's delivery log
  delivered_at bigint not null,
  status text not null,
  state text not null,
  requests int not null,
  requested_at bigint,
  expires_at bigint not null,
  primary key (hook_id, guid)
);

create index missed_deliveries_age on missed_deliveries (delivered_at);
create index missed_deliveries_expiry on missed_deliveries (expires_at);

-- The newest rejected requests.
create table rejections (
  id bigint generated always as identity primary key,
  at bigint not null,
  code text not null,
  status int not null,
  reason text,
  source text not null,
  address text,
  event text,
  guid text,
  headers text not null
);

-- Counts of events by minute and by hour. For rejected requests, also the total by code (step 0).
-- The key begins with the measure, because a query reads some measures, and others may have many more rows.
create table counts (
  step int not null,                        -- milliseconds; 0: the total
  at bigint not null,                       -- the beginning of the step
  measure text not null,
  name text not null,
  outcome text not null,
  count bigint not null,
  primary key (step, measure, at, name, outcome)
);

-- The actions of operators.
create table audit_log (
  id bigint generated always as identity primary key,
  key text not null unique,                 -- transactions of the same action have the same key
  at bigint not null,
  action text not null,
  access text not null,
  person text,
  address text,
  target text not null,                     -- the targets of the action, as JSON
  deliveries text not null,                 -- the first changed ones: ids, separated by commas
  count bigint not null
);

create index audit_log_age on audit_log (at);

create table key_values (name text primary key, text text not null);

-- One row.
create table inbox_info (
  store uuid not null default gen_random_uuid(),  -- changes when the database is restored on another server
  created_at bigint not null,
  forgotten xid8                            -- the last transaction whose changes have been deleted
);
insert into inbox_info (created_at) values (extract(epoch from now()) * 1000);
