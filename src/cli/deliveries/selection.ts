/** Selects the deliveries that a command works on: by id, by a query or by filters. */
import { stderr } from 'node:process'
import type { Command } from 'commander'
import { eventAndAction, parseQuery } from '../../inbox/query/parse-query.ts'
import { type Query, QueryError, type Selection } from '../../inbox/query/query.ts'
import { parseTimestamp } from '../../inbox/query/timestamp.ts'
import { type DeliverySummary, deliveryStates } from '../../inbox/records.ts'
import { plural } from '../../runtime/format.ts'
import type { AdminClient, ListPage } from '../admin-client.ts'
import { invalidValue, UsageError } from '../flags.ts'
import { clearLine } from '../output.ts'

export interface Filters {
  state?: string
  event?: string
  repository?: string
  since?: string
}

export function addFilters(command: Command): Command {
  return command
    .option('--state <state>', `Only deliveries in a state: ${deliveryStates.join(', ')}`)
    .option('--event <event>', 'Only deliveries of an event or an action: issues, issues.opened')
    .option('--repository <name>', 'Only deliveries of a repository: acme/shop')
    .option('--since <time>', 'Only deliveries received since a time: 30m, 2h, 7d or 2026-01-31T12:00Z')
}

export const queryHelp = `
Query: words and conditions, newest deliveries first. All of them must match.
  https://github.com/acme/shop/pull/182    a pasted address of GitHub
  acme/shop#182   '#182'   c0ffee1         a pull request or issue; a commit
  state:dead   state:dead,retrying         one or several values
  event:pull_req*   repo:acme/*            values with this beginning
  state:dead or event:push                 either of two conditions
  flaky   '"two words"'                    a text in any column or error
  pull_request.user.login:octocat          a value in the payload
  -state:done                              all others; list needs -- before it
Keys: state event action repo org sender source number branch tag ref sha
  handler title error:503 failure duration:>5s guid is:gone since:2h
  until:2026-01-31
Shells read *, <, >, # and quotes, so quote such conditions: 'repo:acme/*'.`

/** @throws {UsageError} for an invalid value, or for a flag that differs from the same condition in the query. */
export function queryFrom(text: string, { state, event, repository, since }: Filters, now: number): Query {
  const query = parse(text, now)
  if (event !== undefined) add(query, '--event', eventAndAction(event))
  if (repository !== undefined) add(query, '--repository', { repository })
  if (state !== undefined) {
    const known = deliveryStates.find((one) => one === state)
    if (known === undefined) throw invalidValue('--state', `one of ${deliveryStates.join(', ')}`, state)
    add(query, '--state', { state: known })
  }
  if (since !== undefined) {
    const time = parseTimestamp(since, now)
    const expected = 'a duration such as 30m, 2h or 7d, or a date such as 2026-01-31 or 2026-01-31T12:00Z'
    if (time === undefined) throw invalidValue('--since', expected, since)
    add(query, '--since', { since: time })
  }
  return query
}

/** Adds the conditions of a flag. They must not replace those of the query, which may select fewer deliveries. */
function add(query: Query, flag: string, conditions: Query): void {
  const names = Object.keys(conditions) as (keyof Query)[]
  if (names.some((name) => query[name] !== undefined && query[name] !== conditions[name])) {
    throw new UsageError(`${flag} and the query select different deliveries: leave one of the two conditions out`)
  }
  Object.assign(query, conditions)
}

function parse(text: string, now: number): Query {
  try {
    return parseQuery(text, now)
  } catch (error) {
    throw error instanceof QueryError ? new UsageError(error.message) : error
  }
}

/** The id of a delivery. @throws {UsageError} */
export function parseId(text: string): number {
  const id = Number(text)
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id
  throw invalidValue('id', 'the id of a delivery, as "deliveries list" shows it', text)
}

/** Whether a query selects all deliveries. */
export const isEmpty = (query: Query): boolean => Object.values(query).every((value) => value === undefined)

/** @throws {UsageError} if both ids and a query are given, or neither. */
export function selectionFrom(
  ids: readonly string[],
  { query: text, ...filters }: Filters & { query?: string },
): Selection {
  const query = queryFrom(text ?? '', filters, Date.now())
  const hasQuery = !isEmpty(query)
  if (ids.length > 0 && (text !== undefined || hasQuery)) {
    throw new UsageError('Pass either ids or a query, not both')
  }
  if (ids.length > 0) return { ids: [...new Set(ids.map(parseId))] }
  if (hasQuery) return { query }
  // An empty variable in a script must not select all deliveries.
  throw new UsageError('No deliveries are selected: pass their ids, or a --query that is not empty')
}

/** A selection, and the number of its deliveries. */
interface Counted {
  selection: Selection
  count: number
  /** Whether more deliveries are selected. */
  isMore: boolean
}

/**
 * Counts a selection, and returns it. A returned query excludes deliveries that were stored after the newest counted one.
 * @param max The count of a query may end after this many deliveries.
 */
export async function countSelection(client: AdminClient, selection: Selection, max: number): Promise<Counted> {
  let [count, newest] = [0, 0]
  if ('ids' in selection) {
    for (const id of selection.ids) if (await client.get(id)) count++
    return { selection, count, isMore: false }
  }
  for await (const deliveries of search(client, selection.query, max + 1)) {
    count += deliveries.length
    newest = Math.max(newest, ...deliveries.map(({ id }) => id))
  }
  const query = { ...selection.query, before: newest + 1 }
  return { selection: { query }, count: Math.min(count, max), isMore: count > max }
}

/** A number with commas between thousands. */
const grouped = (count: number): string => count.toLocaleString('en')

const maxPageSize = 500
const pageBudgetMs = 1000
const progressIntervalMs = 500

/**
 * Finds deliveries, newest first. A page may end early, when its time budget is used up, so this reads pages until it
 * has found `max` deliveries or searched all, or until the signal aborts. The progress of a slow search goes to stderr:
 * one changing line on a terminal, several lines elsewhere.
 */
export async function* search(
  client: Pick<AdminClient, 'list'>,
  query: Query,
  max: number = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): AsyncGenerator<readonly DeliverySummary[], void> {
  let [scanned, found, tooLarge] = [0, 0, 0]
  let shownAt = Number.NEGATIVE_INFINITY
  let cursor: string | undefined
  try {
    while (found < max && !signal?.aborted) {
      const limit = Math.min(max - found, maxPageSize)
      const page: ListPage = await client.list({ ...query, cursor, limit, budget: pageBudgetMs })
      scanned += page.scanned
      found += page.deliveries.length
      tooLarge += page.tooLarge ?? 0
      if (page.deliveries.length > 0) yield page.deliveries
      if (page.next === undefined) return
      cursor = page.next
      const isSlow = page.deliveries.length < limit && page.left > 0
      if (!isSlow || performance.now() - shownAt < progressIntervalMs) continue
      shownAt = performance.now()
      const progress = `Searched ${grouped(scanned)} of ${grouped(scanned + page.left)} deliveries, found ${grouped(found)}`
      stderr.write(stderr.isTTY ? clearLine + progress : `${progress}\n`)
    }
  } finally {
    if (stderr.isTTY && shownAt > 0) stderr.write(clearLine)
    if (tooLarge > 0) stderr.write(`${plural(tooLarge, 'payload')} skipped: too large to search\n`)
  }
}
