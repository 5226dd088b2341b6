import { postgres } from 'hookserver/postgres'
import pg from 'pg'
import { counted, showProgress } from '../progress.ts'
import { newDelivery } from './new-delivery.ts'
import { sizeOf } from './sizes.ts'

/** The number of deliveries that one statement inserts. */
const batch = 250_000

/**
 * Creates an inbox with a push that is not matched yet, and copies of it with other events, repositories, senders and
 * titles. Each copy is in a batch of its own. Most copies have one task, which is `done` or, rarely, `dead`. One of 20 copies
 * is `retrying`, in one of 200 failure groups. One of 20 has no task, and is `ignored`. Secondary indexes are dropped first
 * and created last, which is faster.
 * @returns the size of the inbox's tables and indexes in bytes.
 */
export async function fillSchema(url: string, schema: string, count: number): Promise<number> {
  const inbox = postgres(url, { schema })
  await inbox.store({ ...newDelivery(), guid: 'first' })
  await inbox.close()
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema} -c synchronous_commit=off` })
  await client.connect()
  const { rows } = await client.query<{ name: string; sql: string }>(secondary, [schema])
  for (const { name } of rows) await client.query(`drop index ${schema}."${name}"`)
  await client.query(
    "insert into handlers select name, extract(epoch from now()) * 1000 from unnest('{hook:push,hook:deploy}'::text[]) as name",
  )
  await client.query(insertGroups)
  for (let first = 2; first <= count; first += batch) {
    const last = Math.min(count, first + batch - 1)
    for (const statement of statements) await client.query(statement, [first, last])
    showProgress(counted(last))
  }
  showProgress()
  await client.query(foldFailureCounts)
  await client.query(`select setval('delivery_ids', ${count})`)
  for (const { sql } of rows) await client.query(sql)
  for (const name of ['deliveries', 'contents', 'tasks', 'attempts', 'failure_groups', 'failure_counts'])
    await client.query(`vacuum analyze ${name}`)
  await client.query('checkpoint')
  const size = await sizeOf(client, schema)
  await client.end()
  return size
}

const secondary = `
  select indexname as name, indexdef as sql from pg_indexes
  where schemaname = $1 and tablename in ('deliveries', 'tasks', 'attempts') and indexname not like '%_pkey'`

const state =
  "case when i % 5000 = 0 then 'dead' when i % 20 = 0 then 'ignored' when i % 20 = 1 then 'retrying' else 'done' end"
const tasked = 'from generate_series($1::int, $2::int) as i where i % 20 <> 0 or i % 5000 = 0'

const insertGroups = `
  insert into failure_groups (id, handler, error, first_at)
  select i, 'hook:deploy', case when i = 1 then 'Error: rare' else 'HttpError: cause ' || i || ' of job <n>' end,
         extract(epoch from now()) * 1000
  from generate_series(1, 200) as i`

/** As the maintenance does. */
const foldFailureCounts = `
  with gone as (delete from failure_counts returning failure_group, measure, hour, count)
  insert into failure_counts select failure_group, measure, hour, sum(count) from gone group by failure_group, measure, hour`

const failed = 'from generate_series($1::int, $2::int) as i where i % 20 = 1'

const statements = [
  `insert into deliveries
     (id, identity, variant, source, hook_id, guid, event, state, matched, received_at, stored_at, batch, sha256,
      replay_key, headers_size, size, form, secret_index, algorithm, pulled, action, repository, sender, title, ref, number)
   select i, sha256(i::text::bytea), 0, source, hook_id, gen_random_uuid(),
          case i % 10 when 0 then 'issues' when 1 then 'pull_request' when 2 then 'check_run' else 'push' end,
          ${state}, true, received_at, stored_at, i, sha256(('body ' || i)::bytea), (random() * 281474976710655)::bigint,
          headers_size, size, form, 0, algorithm, false, 'opened', 'acme/repository-' || (i % 500), 'octocat-' || (i % 97),
          'Title number ' || i, 'refs/heads/main', i % 10000
   from generate_series($1::int, $2::int) as i, deliveries where id = 1
   order by i`,
  `insert into contents select i, bytes from generate_series($1::int, $2::int) as i, contents where delivery_id = 1`,
  `insert into tasks (delivery_id, handler, state, attempt, attempts_used)
   select i, 'hook:push', case when i % 5000 = 0 then 'dead' else 'done' end, 1, 1 ${tasked}`,
  `insert into attempts (delivery_id, handler, number, started_at, duration, outcome)
   select i, 'hook:push', 1, extract(epoch from now()) * 1000, case when i % 1000 = 0 then 7000 else 3 end, case when i % 5000 = 0 then 'dead' else 'succeeded' end
   ${tasked}`,
  `insert into tasks (delivery_id, handler, state, next_at, attempt, attempts_used, failure_group, failed_at)
   select i, 'hook:deploy', 'retrying', 7258118400000, 1, 1, case when i < 2000 then 1 else 2 + i / 20 % 199 end,
          extract(epoch from now()) * 1000 ${failed}`,
  `insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error)
   select i, 'hook:deploy', 1, extract(epoch from now()) * 1000, 3, 'failed',
          'HttpError: cause 7 of job ' || i || e'\\n    at deploy (hooks.ts:10:5)' ${failed}`,
  `update deliveries set duration_class = 2 from attempts
   where delivery_id = id and attempts.duration = 7000 and id between $1::int and $2::int`,
]
