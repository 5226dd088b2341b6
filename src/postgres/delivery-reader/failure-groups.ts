import type { FailureGroup, FailureGroupDetail, FailurePage, FailureQuery } from '../../inbox/failure-groups.ts'
import {
  type FailureExampleRow,
  type FailureGroupRow,
  type FailureHourRow,
  type FailureRepositoryRow,
  failureLimit,
  firstHour,
  maxRepositories,
  maxRepositoryTasks,
  toFailureExample,
  toFailureGroups,
  toFailurePage,
} from '../../inbox/failure-rows.ts'
import type { AttemptRow } from '../../inbox/rows.ts'
import { idsOf, type Sql } from '../connection/connection.ts'

/** A page of failure groups, the latest failure first. */
export async function failureGroups(sql: Sql, query: FailureQuery, now: number): Promise<FailurePage> {
  const { handler, since, after } = query
  const limit = failureLimit(query)
  const { lastAt, id } = after ?? { lastAt: Number.MAX_SAFE_INTEGER, id: 0 }
  const rows = await sql.all<FailureGroupRow>(selectGroups, handler ?? null, since ?? 0, lastAt, id, limit + 1)
  return toFailurePage(rows, await withCounts(sql, rows.slice(0, limit), now))
}

/** A failure group with its newest failure. */
export async function failureGroup(sql: Sql, id: number, now: number): Promise<FailureGroupDetail | undefined> {
  const row = await sql.get<FailureGroupRow>(selectGroup, id)
  const [group] = row ? await withCounts(sql, [row], now) : []
  const example = await sql.get<FailureExampleRow>(selectExample, id)
  const attempt = example && (await sql.get<AttemptRow>(selectAttempt, example.id, example.handler))
  return group && { ...group, example: example && toFailureExample(example, attempt) }
}

async function withCounts(sql: Sql, rows: readonly FailureGroupRow[], now: number): Promise<FailureGroup[]> {
  if (rows.length === 0) return []
  const ids = idsOf(rows)
  const hours = await sql.all<FailureHourRow>(selectHours, ids, firstHour(now))
  return toFailureGroups(rows, hours, await sql.all<FailureRepositoryRow>(selectRepositories, ids))
}

const groups = (condition: string) => `
  select *
  from (
    select
      failure_group as id, sum(count) filter (where measure = 'dead') as dead,
      sum(count) filter (where measure = 'retrying') as retrying, sum(count) filter (where measure = 'pending') as pending,
      sum(count) filter (where measure = 'running') as running
    from failure_counts
    where ${condition} and hour = 0
    group by failure_group
    having sum(count) filter (where measure in ('dead', 'retrying', 'pending', 'running')) > 0
  ) as counted join failure_groups using (id), lateral (
    select max(failed_at) as last_at from tasks where failure_group = id) as latest`

const selectGroups = `
  select * from (
    select *, count(*) over () as total
    from (${groups('true')}) as listed
    where ($1::text is null or handler = $1) and last_at >= $2::bigint
  ) as matching
  where (last_at, id) < ($3::bigint, $4::bigint)
  order by last_at desc, id desc
  limit $5`

const selectGroup = groups('failure_group = $1')

const selectHours = `
  select failure_group as id, hour - $2::bigint as hour, sum(count)::bigint as count
  from failure_counts
  where failure_group = any($1::bigint[]) and measure = 'failed' and hour >= $2
  group by failure_group, hour`

/** Uses lateral subqueries, so that PostgreSQL reads the newest tasks of each group by index. */
const selectRepositories = `
  select input.id, counted.repository, counted.count
  from unnest($1::bigint[]) as input (id), lateral (
    select repository, count(*) as count
    from (
      select delivery_id from tasks where failure_group = input.id order by failed_at desc limit ${maxRepositoryTasks}
    ) as newest join deliveries on deliveries.id = delivery_id
    where repository is not null
    group by repository
    order by count(*) desc, repository collate "C"
    limit ${maxRepositories}) as counted`

const selectExample = `
  select deliveries.id, tasks.handler, event, guid, received_at, action, repository, title
  from tasks join deliveries on deliveries.id = delivery_id
  where failure_group = $1
  order by failed_at desc, delivery_id desc
  limit 1`

const selectAttempt = `
  select * from attempts
  where delivery_id = $1 and handler = $2 and outcome in ('failed', 'dead', 'cut off')
  order by number desc
  limit 1`
