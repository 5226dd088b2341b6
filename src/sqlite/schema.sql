-- Schema version 9 of the inbox in SQLite: `sqlite3 hookserver.db < schema.sql` creates an empty inbox. Once a release has
-- shipped it, this file never changes; `migrations.ts` holds the steps to and from this version. Times are milliseconds
-- since 1970, unless a column says otherwise.

pragma application_id = 0x686f6f6b;         -- "hook" in ASCII
pragma user_version = 9;

-- Rows are small, because lists are read from here. Headers and body are in "packs", from byte "start" of
-- the decompressed pack.
create table deliveries (
  id integer primary key autoincrement,
  identity blob not null,                   -- a hash of GUID, source, hook id and secret id; of a conflict, also of its bytes
  variant integer not null,                 -- above 0: a conflict
  source text not null,
  hook_id text not null,
  guid text not null,
  event text not null,
  state text not null,
  matched integer not null,                 -- 0: a worker has yet to match it with handlers
  rerun integer not null default 0,         -- 1: handlers that succeeded run again, too
  next_at integer,
  received_at integer not null,
  stored_at integer not null,
  acked_at integer,
  sha256 blob not null,
  replay_key integer,                       -- 6 bytes of sha256; null until the first match
  pack integer not null,
  start integer not null,
  headers_size integer not null,            -- bytes of the headers
  size integer not null,                    -- bytes of the body, which follows the headers
  trace text,
  form text not null,
  address text,
  secret_id text,
  secret_index integer,
  algorithm text,
  pulled integer not null,
  duplicates integer not null default 0,
  replayed integer not null default 0,
  reason text,
  action text,
  repository text,
  sender text,
  title text,
  ref text,
  sha text,
  number integer,
  edited_from integer,
  duration_class integer                    -- see `duration-class.ts`; null: its attempts took less than a second together
) strict;

create unique index deliveries_identity on deliveries (identity, variant);
create index deliveries_unmatched on deliveries (id) where matched = 0;
create index deliveries_state on deliveries (state);
create index deliveries_event on deliveries (event);
create index deliveries_repository on deliveries (repository) where repository is not null;
create index deliveries_number on deliveries (number) where number is not null;
create index deliveries_sha on deliveries (sha) where sha is not null;
create index deliveries_ref on deliveries (ref) where ref is not null;
create index deliveries_duration on deliveries (duration_class) where duration_class is not null;
create index deliveries_replay on deliveries (replay_key) where replay_key is not null;

-- Packs: contents of deliveries that one transaction stored, compressed together. A large delivery has its own pack.
create table packs (
  id integer primary key,                   -- the id of its first delivery
  last integer not null,                    -- the pack has no delivery with a higher id
  bytes blob not null                       -- compressed with zstd
) strict;

-- One task for each handler of a delivery. It is due from "next_at" on. A pending task whose "next_at" is null
-- is blocked: it waits for another task with the same order key.
create table tasks (
  delivery_id integer not null,
  handler text not null,
  state text not null,
  next_at integer,
  start_at integer,                         -- the task is not due earlier; null: no such limit
  delay integer,                            -- milliseconds from the end of the latest attempt to "next_at"
  order_key text,
  attempt integer not null default 0,
  attempts_used integer not null default 0,
  worker integer,                           -- holds the lease while the task runs
  started_at integer,
  claimed_after integer,                    -- the delivery whose result claimed the running attempt; null: another call did
  claimed_after_attempt integer,            -- the attempt with this result
  claimed_ahead integer not null default 0, -- 1: if the lease of the running attempt expires, it is uncounted
  uncounted integer not null default 0,     -- how many of "attempts_used" do not count against the limit
  failure_group integer,                    -- the group of its latest failure; null: it has none that is unresolved
  failed_at integer,                        -- when that attempt failed
  pass integer not null default 0,          -- of the due tasks of a handler with "next_at" 0, the lowest pass runs first
  fair_key text,                            -- the repository or installation whose tasks share the passes; null: pass 0
  primary key (delivery_id, handler)
) strict, without rowid;

create index tasks_due on tasks (handler, next_at, pass, delivery_id) where next_at is not null;
create index tasks_fair on tasks (handler, fair_key, state, pass) where next_at = 0 and fair_key is not null;
create index tasks_running on tasks (worker) where worker is not null;
create index tasks_order on tasks (handler, order_key, delivery_id)
  where order_key is not null and state in ('pending', 'running', 'retrying');
create index tasks_order_running on tasks (handler, order_key) where order_key is not null and state = 'running';
create index tasks_failure on tasks (failure_group, failed_at) where failure_group is not null;
create index tasks_failed_delivery on tasks (failure_group, delivery_id) where failure_group is not null;

-- Failures of one handler with the same normalized error. A group without tasks is resolved, and is deleted later.
create table failure_groups (
  id integer primary key,                   -- 6 bytes of a hash of "handler" and "error"
  handler text not null,
  error text not null,                      -- normalized
  first_at integer not null,
  returned_at integer,                      -- when it got a task after it had been resolved
  resolved_at integer                       -- when the maintenance found no task of it
) strict;

create index failure_groups_resolved on failure_groups (resolved_at);

-- Counts of each group. Triggers keep them, so that no list counts tasks. A task without a failure costs nothing.
create table failure_counts (
  failure_group integer not null,
  measure text not null,                    -- a state: its tasks in this state. "failed": the failures in an hour
  hour integer not null,                    -- since 1970; 0 for a state
  count integer not null,
  primary key (failure_group, measure, hour)
) strict, without rowid;

create trigger failure_counts_added after insert on tasks when new.failure_group is not null
begin
  insert into failure_counts (failure_group, measure, hour, count)
  values (new.failure_group, new.state, 0, 1), (new.failure_group, 'failed', new.failed_at / 3600000, 1)
  on conflict do update set count = count + 1;
end;

create trigger failure_counts_changed after update of state, failure_group, failed_at on tasks
when old.failure_group is not null or new.failure_group is not null
begin
  update failure_counts set count = count - 1
  where failure_group = old.failure_group and measure = old.state and hour = 0;
  insert into failure_counts (failure_group, measure, hour, count)
  select new.failure_group, new.state, 0, 1 where new.failure_group is not null
  on conflict do update set count = count + 1;
  insert into failure_counts (failure_group, measure, hour, count)
  select new.failure_group, 'failed', new.failed_at / 3600000, 1
  where new.failure_group is not null and new.failed_at is not old.failed_at
  on conflict do update set count = count + 1;
end;

create trigger failure_counts_gone after delete on tasks when old.failure_group is not null
begin
  update failure_counts set count = count - 1
  where failure_group = old.failure_group and measure = old.state and hour = 0;
end;

create table attempts (
  delivery_id integer not null,
  handler text not null,
  number integer not null,
  started_at integer not null,
  duration integer,
  outcome text not null,
  error text,
  result text,
  log text,
  primary key (delivery_id, handler, number)
) strict, without rowid;

-- The failed attempts of each handler by the time of their end, for the latest one.
create index attempts_failed on attempts (handler, started_at + coalesce(duration, 0))
  where outcome in ('failed', 'dead');

-- How many attempts to parse a large payload have begun since the last one that finished. If the process ends during an
-- attempt, the attempt stays counted.
create table match_attempts (delivery_id integer primary key, count integer not null) strict;

-- Remains of a deleted delivery, for as long as GitHub may send it again.
create table tombstones (
  identity blob not null,
  hook_id text not null,
  variant integer not null,
  sha256 blob not null,
  state text not null,
  pulled integer not null,
  pruned_at integer not null,
  primary key (identity, variant)
) strict, without rowid;

create index tombstones_age on tombstones (pruned_at);

-- The deliveries that each transaction has changed, for streams of changes.
create table changes (
  id integer primary key,
  deliveries text not null                  -- ids, separated by commas
) strict;

-- Workers that may hold leases. A lease expires when the heartbeats of its worker stop.
create table workers (
  id integer primary key autoincrement,
  process text not null,                    -- the process of the worker: a `ProcessIdentity`, as JSON
  handlers text not null,                   -- names and policies, as JSON
  heartbeats integer not null,              -- the latest one: a number, so that a clock that jumps expires no lease
  interval integer not null                 -- milliseconds between two heartbeats
) strict;

-- Processes that use the inbox, for display.
create table processes (
  id text primary key,
  role text not null,
  host text not null,
  pid integer not null,
  version text not null,
  started_at integer not null,
  seen_at integer not null,
  problems text                             -- of its worker, as JSON
) strict, without rowid;

-- "seen_at" is when a registered worker last had the handler. If no worker has ever had the handler, "seen_at" is when
-- the maintenance first found a task of the handler. After time without any worker, the maintenance adds this time to
-- each "seen_at". If "seen_at" is longer ago than `vanishAfter`, the due tasks of the handler end as `gone`.
create table handlers (name text primary key, seen_at integer not null) strict, without rowid;

create table pauses (handler text primary key) strict, without rowid;

-- Leases by name: each lets one process at a time do some work.
create table leases (name text primary key, holder text not null, until integer not null) strict, without rowid;

-- Deliveries that GitHub sent, and that were not in the inbox when a sweep looked for them.
create table missed_deliveries (
  hook_id text not null,
  guid text not null,
  target text not null,
  event text not null,
  action text,
  delivery_id text not null,                -- the id of the newest entry with this GUID in GitHub's delivery log
  delivered_at integer not null,
  status text not null,
  state text not null,
  requests integer not null,
  requested_at integer,
  expires_at integer not null,
  primary key (hook_id, guid)
) strict, without rowid;

create index missed_deliveries_age on missed_deliveries (delivered_at);
create index missed_deliveries_expiry on missed_deliveries (expires_at);

-- The newest rejected requests.
create table rejections (
  id integer primary key autoincrement,
  at integer not null,
  code text not null,
  status integer not null,
  reason text,
  source text not null,
  address text,
  event text,
  guid text,
  headers text not null
) strict;

-- Counts of events by minute and by hour. For rejected requests, also the total by code (step 0).
-- The key begins with the measure, because a query reads some measures, and others may have many more rows.
create table counts (
  step integer not null,                    -- milliseconds; 0: the total
  at integer not null,                      -- the beginning of the step
  measure text not null,
  name text not null,
  outcome text not null,
  count integer not null,
  primary key (step, measure, at, name, outcome)
) strict, without rowid;

-- The actions of operators.
create table audit_log (
  id integer primary key autoincrement,
  key text not null unique,                 -- transactions of the same action have the same key
  at integer not null,
  action text not null,
  access text not null,
  person text,
  address text,
  target text not null,                     -- the targets of the action, as JSON
  deliveries text not null,                 -- the first changed ones: ids, separated by commas
  count integer not null
) strict;

create index audit_log_age on audit_log (at);

create table key_values (name text primary key, text text not null) strict, without rowid;

-- One row.
create table inbox_info (created_at integer not null) strict;
insert into inbox_info (created_at) values (cast(unixepoch('subsec') * 1000 as integer));
