import { readFileSync } from 'node:fs'
import { failureOf } from '../inbox/task-failure.ts'
import { recordset, type Sql } from './connection/connection.ts'
import type { Transaction } from './connection/database.ts'

/** The version of `schema.sql`, which creates the tables in an empty schema. */
const initialVersion = 9

/**
 * The steps between versions: the first step leads from version 1 to version 2. Once a release has shipped a step, it
 * never changes; a later step corrects it. While machines are upgraded one by one, programs that know only
 * the previous version go on using the tables. So a step adds optional things, and removes nothing that these programs
 * use. `docs/decisions.md` lists the changes that a step may make.
 */
export const migrations: readonly Migration[] = [
  {
    sql: `
      alter table deliveries rename column recovered to pulled;
      alter table tombstones rename column recovered to pulled`,
    minVersion: 2,
  },
  // A program of version 2 does not set it, so all tasks that this program claims count at once.
  {
    sql: `
      alter table tasks add column claimed_ahead boolean not null default false;
      alter table tasks add column uncounted int not null default 0`,
  },
  {
    // Indexes for the search. Those of texts sort by bytes, so that all texts with the same beginning are together.
    sql: `
      create index deliveries_number on deliveries (number, id) where number is not null;
      create index deliveries_sha on deliveries (sha collate "C", id) where sha is not null;
      create index deliveries_ref on deliveries (ref collate "C", id) where ref is not null`,
  },
  {
    sql: `
      alter table tasks add column failure_group bigint;
      alter table tasks add column failed_at bigint;
      create index tasks_failure on tasks (failure_group, failed_at) where failure_group is not null;
      create table failure_groups (
        id bigint primary key,
        handler text not null,
        error text not null,
        first_at bigint not null,
        returned_at bigint,
        resolved_at bigint
      );
      create index failure_groups_resolved on failure_groups (resolved_at);
      create table failure_counts (
        failure_group bigint not null,
        measure text not null,
        hour bigint not null,
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
        for each row when (old.failure_group is not null) execute function count_failures()`,
    run: groupFailures,
  },
  {
    sql: `
      create table audit_log (
        id bigint generated always as identity primary key,
        key text not null unique,
        at bigint not null,
        action text not null,
        access text not null,
        person text,
        address text,
        target text not null,
        deliveries text not null,
        count bigint not null
      );
      create index audit_log_age on audit_log (at)`,
  },
  {
    // A program of an earlier version sets no pass, so its tasks are claimed first.
    sql: `
      alter table tasks add column pass bigint not null default 0;
      alter table tasks add column fair_key text;
      drop index tasks_due;
      create index tasks_due on tasks (handler, next_at, pass, delivery_id) where next_at is not null;
      create index tasks_fair on tasks (handler, fair_key, state, pass) where next_at = 0 and fair_key is not null`,
  },
  {
    // An index for the search `duration:>5s`, and a key of counts that begins with the measure. A program of an earlier
    // version does not write the index, so the search does not find the slow deliveries of this program.
    sql: `
      alter table deliveries add column duration_class int;
      create index deliveries_duration on deliveries (duration_class, id) where duration_class is not null;
      update deliveries
      set duration_class = least(31, floor(log(2, total / 1000.0)))
      from (
        select delivery_id, sum(duration) as total from attempts group by delivery_id having sum(duration) >= 1000
      ) as summed
      where id = delivery_id;

      alter table counts drop constraint counts_pkey;
      alter table counts add primary key (step, measure, at, name, outcome)`,
  },
  {
    // Indexes for the latest failure of each handler, and for the search `error:timeout`.
    sql: `
      create index attempts_failed on attempts (handler, (started_at + coalesce(duration, 0)))
        where (outcome || '') in ('failed', 'dead');
      create index tasks_failed_delivery on tasks ((failure_group + 0), delivery_id) where failure_group is not null`,
  },
]

export interface Migration {
  sql: string
  /** Runs after `sql`, for changes that SQL alone cannot make. */
  run?: (sql: Sql) => Promise<void>
  /** The lowest version that a program must know to use the tables afterwards. Default: the step does not change it. */
  minVersion?: number
}

/** Groups the failures that were recorded before there were groups. */
async function groupFailures(sql: Sql): Promise<void> {
  let [id, handler]: [number, string] = [0, '']
  for (;;) {
    const rows = await sql.all<FailedAttempt>(selectFailed, id, handler)
    const last = rows.at(-1)
    if (!last) return
    const failed = rows.flatMap(({ error, duration, ...row }) => {
      const failure = failureOf({ ...row, error: error ?? undefined, duration: duration ?? undefined })
      return failure ? [{ ...failure, delivery_id: row.id }] : []
    })
    await sql.run(insertFailureGroups, recordset(failed))
    await sql.run(updateFailedTasks, recordset(failed))
    ;[id, handler] = [last.id, last.handler]
  }
}

interface FailedAttempt {
  id: number
  handler: string
  outcome: string
  error: string | null
  startedAt: number
  duration: number | null
}

/** Reads no more of an error than its normalization does. */
const selectFailed = `
  select tasks.delivery_id as id, tasks.handler, outcome, left(error, 16384) as error, latest.started_at as "startedAt", duration
  from tasks, lateral (
    select * from attempts
    where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler
      and outcome in ('failed', 'dead', 'cut off')
    order by number desc
    limit 1) as latest
  where state in ('dead', 'retrying') and (tasks.delivery_id, tasks.handler) > ($1::bigint, $2::text)
  order by tasks.delivery_id, tasks.handler
  limit 500`

const insertFailureGroups = `
  insert into failure_groups (id, handler, error, first_at)
  select id, min(handler), min(error), min(at)
  from json_to_recordset($1::json) as input (id bigint, handler text, error text, at bigint)
  group by id
  on conflict (id) do update set first_at = least(failure_groups.first_at, excluded.first_at)`

const updateFailedTasks = `
  update tasks set failure_group = input.id, failed_at = input.at
  from json_to_recordset($1::json) as input (id bigint, handler text, at bigint, delivery_id bigint)
  where tasks.delivery_id = input.delivery_id and tasks.handler = input.handler`

/** The newest schema version that a program with these steps knows. */
export const newestVersion = (steps: readonly Migration[] = migrations): number => 1 + steps.length

/** The version of the tables, and the lowest version that a program must know to use them. */
export interface SchemaVersion {
  version: number
  minVersion: number
}

/**
 * Brings the schema up to date. The caller makes sure that no other process migrates it at the same time.
 * @returns the number of applied steps, `schema.sql` included. @throws if the schema is too new for this program.
 */
export async function migrate(transaction: Transaction, steps: readonly Migration[] = migrations): Promise<number> {
  const before = await schemaVersion(transaction)
  checkVersion(before, steps)
  const schema = new URL('../postgres/schema.sql', import.meta.url)
  if (before.version === 0) await transaction.script(readFileSync(schema, 'utf8'))
  const version = before.version || initialVersion
  const missing = steps.slice(version - 1)
  for (const [index, { sql, run, minVersion }] of missing.entries()) {
    await transaction.script(sql)
    await run?.(transaction)
    await transaction.run(insertVersion, version + index + 1, minVersion ?? null)
  }
  return missing.length + (before.version === 0 ? 1 : 0)
}

/** Returns version 0 if the tables do not exist yet. */
export async function schemaVersion(sql: Pick<Sql, 'get'>): Promise<SchemaVersion> {
  const exists = await sql.get(`select 1 where to_regclass('schema_migrations') is not null`)
  return (exists ? await sql.get<SchemaVersion>(selectVersion) : undefined) ?? { version: 0, minVersion: 0 }
}

/** @throws if the schema is too new for this program. */
export function checkVersion({ version, minVersion }: SchemaVersion, steps: readonly Migration[] = migrations): void {
  const known = newestVersion(steps)
  if (minVersion <= known) return
  throw new Error(
    `it was changed by a newer hookserver (schema ${version}; this one knows ${known}): upgrade hookserver`,
  )
}

const selectVersion = 'select max(version) as version, max(min_version) as "minVersion" from schema_migrations'

const insertVersion = `
  insert into schema_migrations (version, min_version)
  select $1, coalesce($2, max(min_version)) from schema_migrations`
