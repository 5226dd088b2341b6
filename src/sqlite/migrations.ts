import type { DatabaseSync } from 'node:sqlite'

/** Marks a file as hookserver's: "hook" in ASCII. */
export const applicationId = 0x686f6f6b

/**
 * The schema, as the list of steps that lead to it. A step is never changed once it was released: what is wrong with
 * it is mended by the next. The file's `user_version` says how many have been taken.
 */
const steps = [
  `
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
  `,
  `
  -- Which deliveries each transaction changed, for whoever watches.
  create table changes (
    id integer primary key,
    deliveries text not null                -- their ids, with commas between them
  ) strict;

  -- How often things happened, by minute and by hour.
  create table counts (
    step integer not null,                  -- milliseconds
    at integer not null,                    -- the beginning of the step
    measure text not null,
    name text not null,
    outcome text not null,
    count integer not null,
    primary key (step, at, measure, name, outcome)
  ) strict, without rowid;

  alter table deliveries add column edited_from integer;

  -- What GitHub sent and did not come in.
  create table gaps (
    hook_id text not null,
    guid text not null,
    target text not null,
    event text not null,
    action text,
    delivery_id integer not null,           -- GitHub's number of the last time that it sent it
    delivered_at integer not null,
    status text not null,
    state text not null,
    asked integer not null,
    asked_at integer,
    kept_until integer not null,
    primary key (hook_id, guid)
  ) strict, without rowid;

  create index gaps_age on gaps (delivered_at);
  create index gaps_kept on gaps (kept_until);

  -- What only one process may do at a time.
  create table leases (name text primary key, holder text not null, until integer not null) strict, without rowid;

  -- When it was made. A file of before that is as old as the oldest delivery in it.
  create table inbox_info (at integer not null) strict;
  insert into inbox_info (at)
  select coalesce(min(stored_at), cast(unixepoch('subsec') * 1000 as integer)) from deliveries;
  `,
  `
  -- Who uses the file, and said so lately.
  create table processes (
    id text primary key,
    role text not null,
    host text not null,
    pid integer not null,
    version text not null,
    started_at integer not null,
    seen_at integer not null,
    problems text                           -- of its worker, as JSON
  ) strict, without rowid;

  -- Payloads whose reading was begun and not finished yet: one that ends the process is recognised by its count.
  create table match_attempts (delivery_id integer primary key, count integer not null) strict;
  `,
]

/**
 * Brings the file up to date, and marks it in the same transaction: one that is killed here leaves no file behind that
 * looks like another program's. Of two processes that start together one waits for the other.
 * @throws if the file is newer.
 */
export function migrate(db: DatabaseSync): void {
  db.exec('begin immediate')
  try {
    const { user_version: taken } = db.prepare('pragma user_version').get() as { user_version: number }
    if (taken > steps.length) {
      throw new Error(
        `it was written by a newer hookserver (schema ${taken}, this one knows ${steps.length}): upgrade hookserver`,
      )
    }
    if (taken < steps.length) {
      for (const step of steps.slice(taken)) db.exec(step)
      db.exec(`pragma user_version = ${steps.length}`)
    }
    db.exec(`pragma application_id = ${applicationId}`)
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}
