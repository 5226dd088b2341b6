import type { Command } from 'commander'
import { eventAndAction, parseQuery, type Query, QueryError } from '../../inbox/query/query.ts'
import { parseTimestamp } from '../../inbox/query/timestamp.ts'
import { deliveryStates } from '../../inbox/records.ts'
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
  event:issues.opened is:replayed since:2h until:2026-01-31
All else with a colon is a value of the payload:
  pull_request.user.login:octocat
Quotes hold words together; keep them from your shell:  '"two words"'`

/** @throws {UsageError} for what no delivery can be. */
export function queryOf(text: string, { state, event, repository, since }: Filters, now: number): Query {
  const query = read(text, now)
  if (state !== undefined) query.state = stateOf(state)
  if (event !== undefined) Object.assign(query, eventAndAction(event))
  if (repository !== undefined) query.repository = repository
  if (since !== undefined) query.since = timeOf(since, now)
  return query
}

function read(text: string, now: number): Query {
  try {
    return parseQuery(text, now)
  } catch (error) {
    throw error instanceof QueryError ? new UsageError(error.message) : error
  }
}

function stateOf(text: string): NonNullable<Query['state']> {
  const state = deliveryStates.find((one) => one === text)
  if (state !== undefined) return state
  throw new UsageError(`--state: expected one of ${deliveryStates.join(', ')}, got ${JSON.stringify(text)}`)
}

/** Whether somebody asked for some of the deliveries and not for all of them. */
export const isSome = (query: Query): boolean => Object.values(query).some((value) => value !== undefined)

function timeOf(text: string, now: number): number {
  const moment = parseTimestamp(text, now)
  if (moment !== undefined) return moment
  const expected = 'expected a time such as 2h, 30m, 7d, or a date such as 2026-01-31 or 2026-01-31T12:00Z'
  throw new UsageError(`--since: ${expected}, got ${JSON.stringify(text)}`)
}
