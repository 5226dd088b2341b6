/** Compares the results of searches in both stores with a filter over the same deliveries. */
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/inbox/inbox.ts'
import { normalizeError } from '../../src/inbox/normalize-error.ts'
import { parseQuery } from '../../src/inbox/query/parse-query.ts'
import { type Expression, expressionsOf, type QueryFlag, type Test } from '../../src/inbox/query/query.ts'
import type { DeliveryDetail, Page, PayloadSummary } from '../../src/inbox/records.ts'
import { failureOf } from '../../src/inbox/task-failure.ts'
import { postgres } from '../../src/postgres/index.ts'
import { recordMatches } from '../../src/testing/inbox-contract/matching.ts'
import { TestWorker } from '../../src/testing/inbox-contract/test-worker.ts'
import { databases } from '../postgres/databases.ts'
import { openInbox, storeIn } from './stores.ts'

const { create } = databases()
const count = 90

const pick = <T>(values: readonly T[], n: number): T => values[n % values.length] as T

const events = ['push', 'pull_request', 'pull_request_review', 'issues', 'issue_comment']
const actions = [undefined, 'opened', 'closed', undefined, 'open']
const repositories = [undefined, 'acme/shop', 'acme/site', 'acme-shop/x', 'octo/app', 'Acme/shop']
const refs = ['refs/heads/main', 'main', 'refs/tags/v1', 'feature/x', undefined, 'refs/heads/feature/y', 'mai']
const shas = ['c0ffee1aa', 'c0ffee1bb', undefined, 'beef001aa', `${'a1'.repeat(20)}`]
const outcomes = ['succeeded', 'failed', 'dead', 'discarded'] as const
const errors = ['Error: answered 503', 'TypeError: no 100%_thing', 'timeout of "shop"']

const summaryOf = (n: number): PayloadSummary => ({
  action: pick(actions, n),
  repository: pick(repositories, n >> 1),
  sender: pick(['octocat', 'hubot', 'bot[x]'], n),
  title: n % 4 === 0 ? undefined : `Fix ${n}, "a*b"`,
  ref: pick(refs, n),
  sha: pick(shas, n >> 2),
  number: n % 3 === 0 ? undefined : n % 7,
})

/** Stores deliveries in all states, with one or two handlers. Some tasks have several attempts, or are gone. */
async function fill(inbox: Store): Promise<DeliveryDetail[]> {
  const worker = await TestWorker.register(inbox, 'deploy', 'label')
  const ids: number[] = []
  for (let n = 0; n < count; n++) {
    const source = n % 9 === 0 ? '/other' : '/hooks'
    const id = await storeIn(inbox, { n: n % 11 }, { event: pick(events, n), source, pulled: n % 8 === 0 })
    ids.push(id)
    if (n % 10 === 9) continue // stays unmatched
    const handlers = [['deploy'], ['deploy', 'label'], []][n % 3] ?? []
    // Of some deliveries, one handler ends, and the other one is pending or running.
    const tasks = handlers.map((handler, index) => ({ handler, claim: n % 13 !== 0 && (index === 0 || n % 4 > 0) }))
    const claimed = await recordMatches(inbox, worker.id, [{ id, summary: summaryOf(n), tasks }], Date.now())
    for (const [index, task] of claimed.entries()) {
      if (index === 1 && n % 5 === 1) continue
      const outcome = pick(outcomes, (n >> 2) + index)
      const error = outcome === 'succeeded' ? undefined : pick(errors, n)
      await worker.finish(task, outcome, { error, duration: 100 * (n % 5), startedAt: 1e12 + n + index })
    }
  }
  await inbox.retry({ ids: ids.filter((_, n) => n % 12 < 4) }, { handler: 'deploy' })
  for (const task of await worker.claim('deploy', 5)) await worker.finish(task, 'succeeded')
  const ended = ids.filter((_, n) => n % 12 > 8)
  await inbox.retry({ ids: ended, states: ['dead', 'done', 'discarded'] })
  for (const id of ended) {
    const plan = { id, summary: summaryOf(ids.indexOf(id)), tasks: [] }
    await recordMatches(inbox, worker.id, [plan], Date.now())
  }
  const details = await Promise.all(ids.map((id) => inbox.get(id)))
  return details.filter((one) => one !== undefined).sort((a, b) => b.id - a.id)
}

function holds(delivery: DeliveryDetail, expression: Expression): boolean {
  if ('any' in expression) return expression.any.some((one) => holds(delivery, one))
  if ('all' in expression) return expression.all.every((one) => holds(delivery, one))
  return 'not' in expression ? !holds(delivery, expression.not) : passes(delivery, expression)
}

function passes(delivery: DeliveryDetail, test: Test): boolean {
  if (test.column === 'flag') return hasFlag(delivery, test.is)
  if ('above' in test) return delivery.duration !== undefined && delivery.duration > test.above
  if ('below' in test) return delivery.duration !== undefined && delivery.duration < test.below
  if (test.column === 'failure_group') return delivery.tasks.some(({ failureGroup }) => failureGroup === test.is)
  if ('contains' in test) return textsOf(delivery, test).some((one) => includes(one, test.contains))
  const values = test.column === 'handler' ? delivery.tasks.map(({ handler }) => handler) : [delivery[test.column]]
  if ('is' in test) return values.includes(test.is)
  return values.some((value) => typeof value === 'string' && value.startsWith(test.startsWith))
}

function hasFlag(delivery: DeliveryDetail, flag: QueryFlag): boolean {
  if (flag === 'gone') return delivery.tasks.some(({ state }) => state === 'gone')
  if (flag === 'retried') return delivery.tasks.some(({ attempts }) => attempts.length > 1)
  return delivery[flag]
}

const includes = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase())

/** The normalized errors of unresolved failures. For a text with a digit, also the errors themselves. */
function errorsOf({ tasks }: DeliveryDetail, text: string): string[] {
  return tasks.flatMap(({ failureGroup, attempts }) => {
    const error = attempts.findLast(({ outcome }) => outcome === 'failed' || outcome === 'dead')?.error
    if (failureGroup === undefined) return []
    return [normalizeError(error), ...(/\d/.test(text) && error !== undefined ? [error] : [])]
  })
}

/** The texts that a test searches. */
function textsOf(delivery: DeliveryDetail, { column, contains }: Extract<Test, { contains: string }>): string[] {
  const { event, action, repository, sender, title = '', ref, sha, guid, number } = delivery
  if (column === 'title') return [title]
  const errors = errorsOf(delivery, contains)
  if (column === 'error') return errors
  const columns = [event, action, repository, sender, title, ref, sha, guid, number].map((value) => String(value ?? ''))
  return [...columns, ...errors]
}

const value = (...values: string[]) => fc.constantFrom(...values)
const listOf = (one: fc.Arbitrary<string>) => fc.array(one, { minLength: 1, maxLength: 3 }).map((all) => all.join(','))
const condition = (key: string, one: fc.Arbitrary<string>) => one.map((text) => `${key}:${text}`)

/** The ids of failure groups, and of none. */
const failures = ['deploy', 'label'].flatMap((handler) => {
  return errors.map((error) => String(failureOf({ handler, outcome: 'dead', error, startedAt: 0 })?.id))
})

const terms = fc.oneof(
  condition('state', listOf(value('pending', 'running', 'retrying', 'dead', 'discarded', 'done', 'ignored'))),
  condition(
    'event',
    listOf(value(...events, 'pull_req*', 'pu*', '*', 'issues.opened', 'issues.*', 'push.op*', 'none')),
  ),
  condition('repo', listOf(value('acme/shop', 'acme/*', 'acme*', '*', 'octo/app', 'none/none'))),
  condition('org', listOf(value('acme', 'octo', 'Acme', 'ac*'))),
  condition('action', listOf(value('opened', 'open*', '*'))),
  condition('sender', listOf(value('octocat', 'bot[x]', 'h*'))),
  condition('source', listOf(value('/hooks', '/o*'))),
  condition('ref', listOf(value('main', 'refs/heads/*', 'refs/*', 'mai'))),
  condition('branch', listOf(value('main', 'feature/*', 'm*'))),
  condition('tag', value('v1')),
  condition('sha', listOf(value('c0ffee1', 'beef001', 'a1'.repeat(20), 'ffff'))),
  condition('number', listOf(value('1', '2', '6', '99'))),
  condition('handler', listOf(value('deploy', 'label', 'd*', 'none'))),
  condition('error', value('503', 'ERROR', '100%_', 'timeout', 'shop', '<n>', 'none')),
  condition('failure', listOf(value(...failures, '1'))),
  condition('title', value('fix', '"1, "', '"a*b"')),
  condition('duration', value('>100ms', '<200ms', '>1h')),
  condition('is', listOf(value('conflict', 'replayed', 'pulled', 'gone', 'retried'))),
  value(
    'c0ffee1',
    '#2',
    'acme/shop#1',
    'acme/shop@c0ffee1',
    'https://github.com/acme',
    'fix',
    'acme',
    '"503"',
    'TypeError',
  ),
  value('https://github.com/acme/shop/tree/main/src', 'https://github.com/acme/shop/pull/1'),
)
const signed = fc.tuple(value('', '', '-'), terms).map(([sign, term]) => sign + term)
const groups = fc.array(signed, { minLength: 1, maxLength: 3 }).map((some) => some.join(' or '))
const texts = fc.array(fc.oneof(signed, groups), { minLength: 1, maxLength: 3 }).map((all) => all.join(' '))

async function find(inbox: Store, text: string, limit: number): Promise<number[]> {
  const ids: number[] = []
  for (let before: number | undefined; ; ) {
    const page: Page = await inbox.list({ ...parseQuery(text), limit, before, budget: 1000 })
    ids.push(...page.deliveries.map(({ id }) => id))
    before = page.next
    if (before === undefined) return ids
  }
}

async function compare(inbox: Store, numRuns: number): Promise<void> {
  const deliveries = await fill(inbox)
  expect(new Set(deliveries.map(({ state }) => state)).size).toBeGreaterThanOrEqual(6)
  for (const flag of ['gone', 'retried'] as const) expect(deliveries.some((one) => hasFlag(one, flag))).toBe(true)
  const property = fc.asyncProperty(texts, fc.integer({ min: 1, max: 60 }), async (text, limit) => {
    const expressions = expressionsOf(parseQuery(text))
    const expected = deliveries.filter((one) => expressions.every((expression) => holds(one, expression)))
    expect(await find(inbox, text, limit)).toEqual(expected.map(({ id }) => id))
  })
  await fc.assert(property, { numRuns })
}

describe('a search finds the same deliveries as a filter over all deliveries', () => {
  test('in SQLite', { timeout: 120_000 }, () => compare(openInbox(), 400))

  test('in PostgreSQL, with any collation', { timeout: 120_000 }, async () => {
    const inbox = postgres(await create())
    onTestFinished(() => inbox.close())
    await compare(inbox, 200)
  })
})
