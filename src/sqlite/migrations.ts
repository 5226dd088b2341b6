import { readFileSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { failureOf } from '../inbox/task-failure.ts'

/** Marks a file as hookserver's: "hook" in ASCII. */
export const applicationId = 0x686f6f6b

/** The version of `schema.sql`, which creates the tables in an empty file. */
const initialVersion = 9

/**
 * The steps between versions: the first step leads from version 1 to version 2. Once a release has shipped a step, this
 * step never changes; a later step corrects it.
 */
export const migrations: readonly Migration[] = [
  `alter table deliveries rename column recovered to pulled;
   alter table tombstones rename column recovered to pulled`,
  `alter table tasks add column claimed_ahead integer not null default 0;
   alter table tasks add column uncounted integer not null default 0`,

  // Indexes for the search.
  `create index deliveries_number on deliveries (number) where number is not null;
   create index deliveries_sha on deliveries (sha) where sha is not null;
   create index deliveries_ref on deliveries (ref) where ref is not null`,
  {
    sql: `
      alter table tasks add column failure_group integer;
      alter table tasks add column failed_at integer;
      create index tasks_failure on tasks (failure_group, failed_at) where failure_group is not null;
      create table failure_groups (
        id integer primary key,
        handler text not null,
        error text not null,
        first_at integer not null,
        returned_at integer,
        resolved_at integer
      ) strict;
      create index failure_groups_resolved on failure_groups (resolved_at);
      create table failure_counts (
        failure_group integer not null,
        measure text not null,
        hour integer not null,
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
      end`,
    run: groupFailures,
  },
  `create table audit_log (
     id integer primary key autoincrement,
     key text not null unique,
     at integer not null,
     action text not null,
     access text not null,
     person text,
     address text,
     target text not null,
     deliveries text not null,
     count integer not null
   ) strict;
   create index audit_log_age on audit_log (at)`,
  `alter table tasks add column pass integer not null default 0;
   alter table tasks add column fair_key text;
   drop index tasks_due;
   create index tasks_due on tasks (handler, next_at, pass, delivery_id) where next_at is not null;
   create index tasks_fair on tasks (handler, fair_key, state, pass) where next_at = 0 and fair_key is not null`,

  // An index for the search `duration:>5s`, and a key of counts that begins with the measure.
  `alter table deliveries add column duration_class integer;
   create index deliveries_duration on deliveries (duration_class) where duration_class is not null;
   update deliveries
   set duration_class = min(31, cast(floor(log2(total / 1000.0)) as integer))
   from (select delivery_id, sum(duration) as total from attempts group by delivery_id) as summed
   where total >= 1000 and delivery_id = id;

   alter table counts rename to old_counts;
   create table counts (
     step integer not null,
     at integer not null,
     measure text not null,
     name text not null,
     outcome text not null,
     count integer not null,
     primary key (step, measure, at, name, outcome)
   ) strict, without rowid;
   insert into counts select step, at, measure, name, outcome, count from old_counts;
   drop table old_counts`,

  // Indexes for the latest failure of each handler, and for the search `error:timeout`.
  `create index attempts_failed on attempts (handler, started_at + coalesce(duration, 0))
     where outcome in ('failed', 'dead');
   create index tasks_failed_delivery on tasks (failure_group, delivery_id) where failure_group is not null`,
]

/** A step that is more than SQL has a function that runs after it. */
export type Migration = string | { sql: string; run: (db: DatabaseSync) => void }

/** Failed tasks that `groupFailures` reads at a time. A file may have millions, with errors of 16 KiB. */
const failedBatch = 500

/** Groups the failures that were recorded before there were groups. */
function groupFailures(db: DatabaseSync): void {
  const [select, insertGroup, updateTask] = [selectFailed, insertFailureGroup, updateFailedTask].map((sql) => {
    return db.prepare(sql)
  }) as [StatementSync, StatementSync, StatementSync]
  let last: { id: number; handler: string } | undefined = { id: 0, handler: '' }
  while (last) {
    const rows = select.all(last.id, last.handler, failedBatch) as unknown as FailedAttempt[]
    for (const { id, duration, ...attempt } of rows) {
      const failure = failureOf({ ...attempt, error: attempt.error ?? undefined, duration: duration ?? undefined })
      if (!failure) continue
      insertGroup.run(failure.id, failure.handler, failure.error, failure.at)
      updateTask.run(failure.id, failure.at, id, failure.handler)
    }
    last = rows.at(-1)
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
  select tasks.delivery_id as id, tasks.handler, outcome, substr(error, 1, 16384) as error,
         attempts.started_at as startedAt, duration
  from tasks join attempts using (delivery_id, handler)
  where tasks.state in ('dead', 'retrying') and number = (
    select max(number) from attempts as own
    where own.delivery_id = tasks.delivery_id and own.handler = tasks.handler
      and own.outcome in ('failed', 'dead', 'cut off'))
    and (tasks.delivery_id, tasks.handler) > (?, ?)
  order by tasks.delivery_id, tasks.handler
  limit ?`

const insertFailureGroup = `
  insert into failure_groups (id, handler, error, first_at) values (?, ?, ?, ?)
  on conflict (id) do update set first_at = min(first_at, excluded.first_at)`

const updateFailedTask = 'update tasks set failure_group = ?, failed_at = ? where delivery_id = ? and handler = ?'

/** The newest schema version that a program with these steps knows. */
export const newestVersion = (steps: readonly Migration[] = migrations): number => 1 + steps.length

/**
 * Brings the schema up to date in one transaction, which also marks the file as hookserver's. So a process that is
 * killed during the migration leaves no file that looks like another program's.
 * @throws if the file has a newer schema than this program knows.
 */
export function migrate(db: DatabaseSync, steps: readonly Migration[] = migrations): void {
  const newest = newestVersion(steps)
  db.exec('begin immediate')
  try {
    const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
    if (version > newest) {
      throw new Error(
        `it was written by a newer hookserver (schema ${version}; this one knows ${newest}): upgrade hookserver`,
      )
    }
    if (version === 0) db.exec(readFileSync(new URL('../sqlite/schema.sql', import.meta.url), 'utf8'))
    for (const step of steps.slice((version || initialVersion) - 1)) {
      const { sql, run } = typeof step === 'string' ? { sql: step } : step
      db.exec(sql)
      run?.(db)
    }
    if (version < newest) db.exec(`pragma user_version = ${newest}`)
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}
