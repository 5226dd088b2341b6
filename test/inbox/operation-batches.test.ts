import { describe, expect, test } from 'vitest'
import { forEachSelected } from '../../src/inbox/operation-batches.ts'
import type { SelectedIds } from '../../src/inbox/query/query.ts'
import type { DeliveryState, DeliverySummary, Page } from '../../src/inbox/records.ts'

/** The selections of an operation on the deliveries of a query, whose ids are 1, 2 and so on. */
async function selectionsOf(...states: DeliveryState[]): Promise<SelectedIds[]> {
  const deliveries = states.map((state, index) => ({ id: index + 1, state }) as DeliverySummary)
  const page: Page = { deliveries, next: undefined, scanned: deliveries.length, left: 0 }
  const selections: SelectedIds[] = []
  const count = await forEachSelected(
    async () => page,
    { query: {} },
    async (selected) => selections.push(selected),
  )
  expect(count).toBe(selections.reduce((sum, _, index) => sum + index + 1, 0))
  return selections
}

describe('an operation on the deliveries of a query', () => {
  test('leaves out deliveries that have succeeded since they were listed', async () => {
    const states = ['pending', 'running', 'retrying', 'dead']
    expect(await selectionsOf('retrying', 'dead', 'pending', 'running')).toEqual([{ ids: [1, 2, 3, 4], states }])
  })

  test('includes deliveries that were listed as ended, if they are still in that state', async () => {
    expect(await selectionsOf('done', 'dead', 'done', 'ignored', 'discarded')).toEqual([
      { ids: [2], states: ['pending', 'running', 'retrying', 'dead'] },
      { ids: [5], states: ['discarded'] },
      { ids: [1, 3], states: ['done'] },
      { ids: [4], states: ['ignored'] },
    ])
  })

  test('does nothing for an empty page', async () => {
    expect(await selectionsOf()).toEqual([])
  })
})
