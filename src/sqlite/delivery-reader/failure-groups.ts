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
import type { Connection } from '../connection/connection.ts'

/** A page of failure groups, the latest failure first. */
export function failureGroups(connection: Connection, query: FailureQuery, now: number): FailurePage {
  const { handler, since, after } = query
  const limit = failureLimit(query)
  const { lastAt, id } = after ?? { lastAt: Number.MAX_SAFE_INTEGER, id: 0 }
  const rows = connection.all<FailureGroupRow>(selectGroups, handler ?? null, since ?? 0, lastAt, id, limit + 1)
  return toFailurePage(rows, withCounts(connection, rows.slice(0, limit), now))
}

/** A failure group with its newest failure. */
export function failureGroup(connection: Connection, id: number, now: number): FailureGroupDetail | undefined {
  const row = connection.get<FailureGroupRow>(selectGroup, id)
  const [group] = row ? withCounts(connection, [row], now) : []
  const example = connection.get<FailureExampleRow>(selectExample, id)
  const attempt = example && connection.get<AttemptRow>(selectAttempt, example.id, example.handler)
  return group && { ...group, example: example && toFailureExample(example, attempt) }
}

function withCounts(connection: Connection, rows: readonly FailureGroupRow[], now: number): FailureGroup[] {
  const begin = firstHour(now)
  const hours = rows.flatMap(({ id }) => connection.all<FailureHourRow>(selectHours, begin, id, begin))
  const repositories = rows.flatMap(({ id }) => connection.all<FailureRepositoryRow>(selectRepositories, id, id))
  return toFailureGroups(rows, hours, repositories)
}

const groups = (condition: string) => `
  select *, (select max(failed_at) from tasks where failure_group = id) as last_at
  from (
    select
      failure_group as id, sum(iif(measure = 'dead', count, 0)) as dead, sum(iif(measure = 'retrying', count, 0)) as retrying,
      sum(iif(measure = 'pending', count, 0)) as pending, sum(iif(measure = 'running', count, 0)) as running
    from failure_counts
    where ${condition} and hour = 0
    group by failure_group
  ) join failure_groups using (id)
  where dead + retrying + pending + running > 0`

const selectGroups = `
  select * from (
    select *, count(*) over () as total
    from (${groups('true')})
    where handler = coalesce(?, handler) and last_at >= ?
  )
  where (last_at, id) < (?, ?)
  order by last_at desc, id desc
  limit ?`

const selectGroup = groups('failure_group = ?')

const selectHours = `
  select failure_group as id, hour - ? as hour, count
  from failure_counts
  where failure_group = ? and measure = 'failed' and hour >= ?`

const selectRepositories = `
  select ? as id, repository, count(*) as count
  from (select delivery_id from tasks where failure_group = ? order by failed_at desc limit ${maxRepositoryTasks})
  join deliveries on deliveries.id = delivery_id
  where repository is not null
  group by repository
  order by count desc, repository
  limit ${maxRepositories}`

const selectExample = `
  select deliveries.id, tasks.handler, event, guid, received_at, action, repository, title
  from tasks join deliveries on deliveries.id = delivery_id
  where failure_group = ?
  order by failed_at desc, delivery_id desc
  limit 1`

const selectAttempt = `
  select * from attempts
  where delivery_id = ? and handler = ? and outcome in ('failed', 'dead', 'cut off')
  order by number desc
  limit 1`
