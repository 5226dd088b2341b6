-- A file of schema 1, as its program left it.
-- Small rows, since lists are read from here; headers and body are in "packs", from "start" on.
create table deliveries (
  id integer primary key autoincrement,
  identity blob not null,                 -- a hash of GUID, source, hook id and secret id
  variant integer not null,               -- 0; 1, 2, … for other bytes under the same identity
  source text not null,
  hook_id text not null,
  guid text not null,
  event text not null,
  state text not null,
  matched integer not null,            -- 0 until it is matched with handlers
  rerun integer not null default 0,       -- 1: those that succeeded run again too
  next_at integer,
  received_at integer not null,
  stored_at integer not null,
  acked_at integer,
  sha256 blob not null,
  replay_key integer,                     -- 6 bytes of sha256, once it is matched
  pack integer not null,
  start integer not null,
  headers_size integer not null,                  -- bytes of the headers
  size integer not null,                  -- bytes of the body behind them
  trace text,
  form text not null,
  address text,
  secret_id text,
  secret_index integer,
  algorithm text,
  recovered integer not null,
  duplicates integer not null default 0,
  replayed integer not null default 0,
  reason text,
  action text,
  repository text,
  sender text,
  title text,
  ref text,
  sha text,
  number integer
) strict;

create unique index deliveries_identity on deliveries (identity, variant);
create index deliveries_unmatched on deliveries (id) where matched = 0;
create index deliveries_state on deliveries (state);
create index deliveries_event on deliveries (event);
create index deliveries_repository on deliveries (repository) where repository is not null;
create index deliveries_replay on deliveries (replay_key) where replay_key is not null;

-- What one transaction stored; or one large delivery.
create table packs (
  id integer primary key,                 -- the first delivery in it
  last integer not null,                  -- no delivery in it has a higher id
  bytes blob not null                     -- zstd
) strict;

-- A handler's part in a delivery. It can be begun when "next_at" has come; without one it is held by its order.
create table tasks (
  delivery_id integer not null,
  handler text not null,
  state text not null,
  next_at integer,
  delay integer,                          -- how long, from its failure to "next_at"
  order_key text,
  attempt integer not null default 0,
  attempts_used integer not null default 0,
  worker integer,
  started_at integer,
  primary key (delivery_id, handler)
) strict, without rowid;

create index tasks_due on tasks (handler, next_at, delivery_id) where next_at is not null;
create index tasks_running on tasks (worker) where worker is not null;
create index tasks_order on tasks (handler, order_key, delivery_id)
  where order_key is not null and state in ('pending', 'running', 'retrying');

create index tasks_order_running on tasks (handler, order_key) where order_key is not null and state = 'running';

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

create table workers (
  id integer primary key autoincrement,
  process text not null,
  handlers text not null,
  heartbeats integer not null,
  interval integer not null               -- milliseconds between two beats
) strict;

create table handlers (name text primary key, seen_at integer not null) strict, without rowid;

create table pauses (handler text primary key) strict, without rowid;

-- What is left of a delivery that was pruned, for as long as GitHub may send it again.
create table tombstones (
  identity blob not null,
  variant integer not null,
  sha256 blob not null,
  state text not null,
  recovered integer not null,
  pruned_at integer not null,
  primary key (identity, variant)
) strict, without rowid;

create index tombstones_age on tombstones (pruned_at);

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

create table key_values (name text primary key, text text not null) strict, without rowid;

create table rejection_counts (code text primary key, count integer not null) strict, without rowid;

insert into deliveries
  (id, identity, variant, source, hook_id, guid, event, state, matched, received_at, stored_at, sha256,
   pack, start, headers_size, size, form, recovered)
values (7, x'00', 0, '/hooks', '1', 'a GUID', 'push', 'pending', 0, 1000, 1000, x'00', 7, 0, 2, 2, 'json', 0);
insert into packs (id, last, bytes) values (7, 7, x'28b52ffd20042100007b7d7b7d');

pragma user_version = 1;
pragma application_id = 0x686f6f6b;
