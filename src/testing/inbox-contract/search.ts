import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import { parseQuery } from '../../inbox/query/parse-query.ts'
import type { PathCondition, Query } from '../../inbox/query/query.ts'
import type { Page, PayloadSummary } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { json, start, storeMany, storeNew } from './deliveries.ts'
import { recordMatches } from './matching.ts'
import { only } from './seen.ts'
import { TestWorker } from './test-worker.ts'

const summary: PayloadSummary = {
  action: 'opened',
  repository: 'Octo-Org/App',
  sender: 'octocat',
  title: `It's "100%_done" \\ or not: naïve`,
  ref: 'refs/heads/main',
  sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e',
  number: 1347,
}
/** Words, and whether they find an issue with this summary. */
const words: [words: string[], finds: boolean][] = [
  [['issues'], true],
  [['open'], true],
  [['octo-org/app'], true],
  [['OCTOCAT'], true],
  [['heads/main'], true],
  [['6DCB09B5'], true],
  [['the-guid'], true],
  [["it's"], true],
  [['100%_'], true],
  [['"100%_done" \\ or'], true],
  [['naïve'], true],
  [['octo', 'main', 'done'], true],
  [[], true],
  [['octo', 'missing'], false],
  [['100_'], false],
  [['1%done'], false],
  [['%'], true],
  [['%%'], false],
  [['__'], false],
  [['\\\\'], false],
  [['issuesopened'], false],
  [["' or ''='"], false],
]

const payload = {
  text: 'Hello World',
  count: 7,
  ratio: 1.5,
  yes: true,
  nothing: null,
  'a name': { 'with.dots': 'x' },
  deep: { list: [{ name: 'bug', tags: ['p1', 'p2'] }, { name: 'ui' }], empty: [] },
  hostile: { toString: 1, valueOf: 'x', hasOwnProperty: null },
  constructor: 'member',
}
const paths: [path: string[], value: string, finds: boolean][] = [
  [['text'], 'Hello World', true],
  [['text'], 'hello world', true],
  [['text'], 'Hello', false],
  [['count'], '7', true],
  [['count'], '7.0', false],
  [['ratio'], '1.5', true],
  [['yes'], 'true', true],
  [['yes'], 'false', false],
  [['nothing'], 'null', true],
  [['a name', 'with.dots'], 'x', true],
  [['deep', 'list', 'name'], 'ui', true],
  [['deep', 'list', 'tags'], 'p2', true],
  [['deep', 'list', 'tags'], 'p3', false],
  [['deep', 'empty'], '', false],
  [['deep', 'list'], '[object Object]', false],
  [['hostile'], 'x', false],
  [['hostile', 'valueOf'], 'x', true],
  [['constructor'], 'member', true],
  [['constructor', 'name'], 'String', false],
  [['__proto__'], 'x', false],
  [['__proto__', '__proto__'], 'null', false],
  [['missing'], 'undefined', false],
]

export const searchCases: InboxContractCase[] = [
  {
    id: 'words',
    name: 'finds deliveries that contain all words literally, each in any column, in upper or lower case',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox)
      const id = await storeNew(inbox, { guid: '72d3162e-the-guid' })
      await recordMatches(inbox, worker.id, [{ id, summary, tasks: [] }], start)
      await storeNew(inbox, { event: 'push' })
      for (const [texts, finds] of words) {
        const ids = await find(inbox, { words: texts, event: 'issues' })
        assert.deepEqual(ids, finds ? [id] : [], JSON.stringify(texts))
      }
    },
  },
  {
    id: 'words-invalid',
    name: 'rejects an empty word, or one with a control character, for lists and for bulk operations',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox, { event: 'push' })
      const invalidWord = /must not be empty or have control characters/
      for (const word of ['', '\0', 'a\0', '\n', '\t', '\x7f', '\x85']) {
        const query = { words: ['push', word] }
        await assert.rejects(inbox.list(query), invalidWord, JSON.stringify(word))
        await assert.rejects(inbox.discard({ query }, 'a test'), invalidWord, JSON.stringify(word))
      }
      assert.equal((await inbox.overview()).states.discarded, 0)
    },
  },
  {
    id: 'filters-control',
    name: 'treats a control character or wildcard as ordinary text in a filter for a column or for a payload value',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox)
      const id = await storeNew(inbox, {})
      await recordMatches(inbox, worker.id, [{ id, summary, tasks: [] }], start)
      const columns = ['event', 'action', 'repository', 'sender', 'source', 'guid', 'ref', 'sha', 'handler'] as const
      for (const value of ['\0', '\n', '%', '_']) {
        for (const column of columns) assert.deepEqual(await find(inbox, { [column]: value }), [], column)
        assert.deepEqual(await find(inbox, { paths: [{ path: [value], value }] }), [])
      }
    },
  },
  {
    id: 'words-new',
    name: 'finds an unmatched delivery by its event and its GUID',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const id = await storeNew(inbox, { event: 'push', guid: 'a-guid' })
      for (const word of ['PUS', 'A-GUID']) assert.deepEqual(await find(inbox, { words: [word] }), [id])
    },
  },
  ...(['json', 'form'] as const).map(
    (form) =>
      ({
        id: `paths-${form}`,
        name: `finds a value at its path in a payload sent as ${form}`,
        needs: ['DeliveryReader'],
        async run(host) {
          const inbox = await openNew(host)
          const text = JSON.stringify(payload)
          const body = form === 'json' ? text : `other=1&${new URLSearchParams({ payload: text })}`
          const id = await storeNew(inbox, { form, body: new TextEncoder().encode(body) })
          await storeNew(inbox, { body: json({ text: 'else' }) })
          for (const [path, value, finds] of paths) {
            assert.deepEqual(
              await find(inbox, { paths: [{ path, value }] }),
              finds ? [id] : [],
              `${path.join('.')} is ${value}`,
            )
          }
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'paths-together',
    name: 'finds deliveries that match all values and all other conditions',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const ids: number[] = []
      for (const [a, b] of [
        [1, 1],
        [1, 2],
        [2, 2],
      ])
        ids.push(await storeNew(inbox, { event: `event ${b}`, body: json({ a, b }) }))
      const [one, two]: PathCondition[] = [
        { path: ['a'], value: '1' },
        { path: ['b'], value: '2' },
      ]
      assert.deepEqual(await find(inbox, { paths: [one, two] as PathCondition[] }), [ids[1]])
      assert.deepEqual(await find(inbox, { paths: [two] as PathCondition[] }), [ids[2], ids[1]])
      assert.deepEqual(await find(inbox, { paths: [one] as PathCondition[], event: 'event 1' }), [ids[0]])
      assert.deepEqual(await find(inbox, { paths: [one] as PathCondition[], words: ['EVENT 2'] }), [ids[1]])
    },
  },
  {
    id: 'paths-unreadable',
    name: 'skips payloads that are not JSON objects, and finds the value in another payload',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const id = await storeNew(inbox, { body: json({ a: 1 }) })
      for (const text of ['', '{', '\ufeff{"a":1}x', 'null', '7', '"a"', '[[{"b":1}]]']) {
        await storeNew(inbox, { body: new TextEncoder().encode(text) })
      }
      await storeNew(inbox, { body: Uint8Array.of(0xff, 0xfe), form: 'form' })
      await storeNew(inbox, { body: new TextEncoder().encode('nothing=here'), form: 'form' })
      assert.deepEqual(await find(inbox, { paths: [{ path: ['a'], value: '1' }] }), [id])
    },
  },
  {
    id: 'duration-index',
    name: 'finds slow deliveries by the duration of all their ended attempts together',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const finish = async (id: number, durations: Readonly<Record<string, number>>) => {
        for (const task of await worker.match(id, ...Object.keys(durations))) {
          await worker.finish(task, 'succeeded', { duration: durations[task.handler] ?? 0 })
        }
      }
      const [fast, slow, twoHandlers, retried, hours, unhandled] = await storeMany(inbox, 6)
      await finish(fast as number, { a: 999 })
      await finish(slow as number, { a: 1500 })
      await finish(twoHandlers as number, { a: 600, b: 700 })
      await finish(retried as number, { a: 3000 })
      await inbox.retry({ ids: [retried as number] }, { handler: 'a' })
      await worker.finish(only(await worker.claim('a')), 'succeeded', { duration: 3000 })
      await finish(hours as number, { a: 3 * 3_600_000 })
      await worker.match(unhandled as number, 'a')
      const found = (text: string) => find(inbox, parseQuery(text))
      assert.deepEqual(await found('duration:>1s'), [hours, retried, twoHandlers, slow])
      assert.deepEqual(await found('duration:>1300ms'), [hours, retried, slow])
      assert.deepEqual(await found('duration:>5s'), [hours, retried])
      assert.deepEqual(await found('duration:>6s handler:a'), [hours])
      assert.deepEqual(await found('duration:>3h'), [])
      assert.deepEqual(await found('duration:>998ms duration:<5s or handler:b'), [twoHandlers, slow, fast])
    },
  },
]

/** The ids of all matching deliveries, from all pages. */
async function find(inbox: Store, query: Query): Promise<number[]> {
  const ids: number[] = []
  for (let before: number | undefined; ; ) {
    const page: Page = await inbox.list({ ...query, before })
    ids.push(...page.deliveries.map(({ id }) => id))
    before = page.next
    if (before === undefined) return ids
  }
}
