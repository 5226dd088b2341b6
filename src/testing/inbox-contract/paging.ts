import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import type { Query } from '../../inbox/query/query.ts'
import type { Page } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { json, storeMany, storeNew } from './deliveries.ts'

export const pagingCases: InboxContractCase[] = [
  {
    id: 'pages',
    name: 'lists each delivery exactly once over all pages, newest first',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const ids = await storeMany(inbox, 23)
      const pages = await walk(inbox, { limit: 5 })
      assert.deepEqual(idsOf(pages), ids.toReversed())
      for (const { deliveries } of pages) assert.ok(deliveries.length <= 5)
      assert.deepEqual(idsOf([await inbox.list({ before: ids[3] })]), ids.slice(0, 3).toReversed())
    },
  },
  {
    id: 'pages-limits',
    name: 'returns pages of 50 by default, and of at most 500',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const ids = await storeMany(inbox, 510)
      const long = { budget: 1000 }
      assert.equal((await inbox.list(long)).deliveries.length, 50)
      assert.equal((await inbox.list({ ...long, limit: 100 })).deliveries.length, 100)
      const most = await inbox.list({ ...long, limit: 10_000 })
      assert.equal(most.deliveries.length, 500)
      const rest = await inbox.list({ ...long, limit: 10_000, before: most.next })
      assert.deepEqual(idsOf([most, rest]), ids.toReversed())
    },
  },
  {
    id: 'pages-growing',
    name: 'keeps pages stable while new deliveries are stored',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const ids = await storeMany(inbox, 9)
      const pages = await walk(inbox, { limit: 2 }, async () => void (await storeMany(inbox, 3)))
      assert.deepEqual(idsOf(pages), ids.toReversed())
    },
  },
  {
    id: 'pages-conditions',
    name: 'with a filter, lists each matching delivery exactly once over all pages',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const ids: number[] = []
      for (let index = 0; index < 20; index++) {
        const id = await storeNew(inbox, { event: index % 3 === 0 ? 'push' : 'issues' })
        if (index % 3 === 0) ids.push(id)
      }
      for (const query of [{ event: 'push' }, { words: ['PUSH'] }]) {
        const pages = await walk(inbox, { ...query, limit: 2 })
        assert.deepEqual(idsOf(pages), ids.toReversed())
      }
    },
  },
  {
    id: 'pages-progress',
    name: 'returns the numbers of scanned and remaining deliveries with each page',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      assert.deepEqual(await inbox.list({}), { deliveries: [], next: undefined, scanned: 0, left: 0 })
      await storeMany(inbox, 20)
      const whole = await inbox.list({ limit: 100 })
      assert.deepEqual([whole.scanned, whole.left, whole.next], [20, 0, undefined])
      const part = await inbox.list({ limit: 5 })
      assert.deepEqual([part.scanned, part.left], [5, 15])
      assertProgress(await walk(inbox, { limit: 7 }), 20)
      assertProgress(await walk(inbox, { limit: 3, words: ['nothing has this'] }), 20)
    },
  },
  {
    id: 'pages-budget',
    name: 'ends a page when its time is up, and continues on the next page',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const sought = { value: { deep: ['sought'] }, filler: Array.from({ length: 20_000 }, (_, index) => index) }
      const rare = [await storeNew(inbox, { body: json(sought) })]
      await storeMany(inbox, 60, { body: json({ ...sought, value: {} }) })
      rare.push(await storeNew(inbox, { body: json(sought) }))
      const query = { paths: [{ path: ['value', 'deep'], value: 'sought' }] }
      const pages = await walk(inbox, { ...query, budget: 1 })
      assert.ok(pages.length > 2, 'it takes several pages')
      assert.deepEqual(idsOf(pages), rare.toReversed())
      assertProgress(pages, 62)
      assert.deepEqual(idsOf(await walk(inbox, query)), rare.toReversed())
    },
  },
]

/** Reads all pages of a query, and calls `meanwhile` between two pages. */
async function walk(inbox: Store, query: Query, meanwhile: () => Promise<void> = async () => {}): Promise<Page[]> {
  const pages: Page[] = []
  for (let before: number | undefined; ; ) {
    const page: Page = await inbox.list({ ...query, before })
    pages.push(page)
    if (page.next === undefined) return pages
    assert.ok(before === undefined || page.next < before, 'each page starts at an older delivery')
    before = page.next
    await meanwhile()
  }
}

function idsOf(pages: readonly Page[]): number[] {
  return pages.flatMap(({ deliveries }) => deliveries.map(({ id }) => id))
}

/** Asserts that the pages scanned each delivery once, and that their remaining counts are right. */
function assertProgress(pages: readonly Page[], count: number): void {
  let looked = 0
  for (const { scanned, left } of pages) {
    looked += scanned
    assert.equal(left, count - looked)
  }
  assert.equal(looked, count)
}
