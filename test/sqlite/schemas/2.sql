-- What its program added to a file of schema 1.
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

insert into leases (name, holder, until) values ('sweep', 'somebody', 2000);
update deliveries set edited_from = 3;

pragma user_version = 2;
