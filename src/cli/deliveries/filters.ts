import type { Command } from 'commander'
import { parseQuery, type Query } from '../../inbox/query.ts'
import { deliveryStates } from '../../inbox/records.ts'
import { asDuration } from '../../server/setting.ts'
import { UsageError } from '../errors.ts'

export interface Filters {
  state?: string
  event?: string
  repository?: string
  since?: string
}

export function addFilters(command: Command): Command {
  return command
    .option('--state <state>', `only those that are ${deliveryStates.join(', ')}`)
    .option('--event <event>', 'only those of an event, or of an action of it: issues, issues.opened')
    .option('--repository <name>', 'only those of a repository: acme/shop')
    .option('--since <time>', 'only those received in the last 2h (30m, 7d), or since 2026-01-31T12:00Z')
}

export const queryWords = `
A query is made of words, which must occur in event, action, repository, sender,
title, ref, sha, number or GUID; and of names with values:
  state:dead event:issues action:opened repository:acme/shop sender:octocat
  number:12 ref:refs/heads/main sha:… guid:… source:/hooks handler:deploy
All else with a colon is a value of the payload:
  pull_request.user.login:octocat
Quotes hold words together; keep them from your shell:  '"two words"'`

/** @throws {UsageError} for what no delivery can be. */
export function queryOf(text: string, { state, event, repository, since }: Filters, now: number): Query {
  const query = parseQuery(text)
  if (state !== undefined) query.state = state as NonNullable<Query['state']>
  if (event !== undefined) query.event = event
  if (repository !== undefined) query.repository = repository
  if (since !== undefined) query.since = timeOf(since, now)
  if (query.state !== undefined && !deliveryStates.includes(query.state)) {
    throw new UsageError(`state: expected one of ${deliveryStates.join(', ')}, got ${JSON.stringify(query.state)}`)
  }
  // As the list shows them. No event of GitHub's has a dot in its name.
  const [name, action] = query.event?.split('.', 2) ?? []
  if (action) Object.assign(query, { event: name, action })
  return query
}

/** Whether somebody asked for some of the deliveries and not for all of them. */
export const isSome = (query: Query): boolean => Object.values(query).some((value) => value !== undefined)

function timeOf(text: string, now: number): number {
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(date)) return date
  try {
    return now - asDuration(text)
  } catch {
    const expected = 'expected a time such as 2h, 30m, 7d, or a date such as 2026-01-31 or 2026-01-31T12:00Z'
    throw new UsageError(`--since: ${expected}, got ${JSON.stringify(text)}`)
  }
}
