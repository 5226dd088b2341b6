import { stderr } from 'node:process'
import type { Query } from '../../inbox/query/query.ts'
import type { DeliverySummary, Page } from '../../inbox/records.ts'
import type { AdminClient } from '../admin-client.ts'
import { plural } from '../output.ts'
import { clearLine } from '../terminal.ts'

const maxPageSize = 500
const pageBudgetMs = 1000

/**
 * Finds deliveries page by page, the newest first. A page ends when its time budget is used up, so this goes on until
 * `max` are found or all deliveries were searched.
 */
export async function* search(
  client: Pick<AdminClient, 'list'>,
  query: Query,
  max: number,
): AsyncGenerator<readonly DeliverySummary[], void> {
  const progress = new SearchProgress()
  let { before } = query
  try {
    for (let left = max; left > 0; ) {
      const limit = Math.min(left, maxPageSize)
      const page: Page = await client.list({ ...query, before, limit, budget: pageBudgetMs })
      left -= page.deliveries.length
      progress.add(page)
      if (page.deliveries.length > 0) yield page.deliveries
      if (page.next === undefined) return
      before = page.next
      if (page.deliveries.length < limit) progress.show(page.left)
    }
  } finally {
    progress.end()
  }
}

const progressIntervalMs = 500

/** Redraws one line on a terminal, and prints lines elsewhere. */
class SearchProgress {
  #scanned = 0
  #found = 0
  #tooLarge = 0
  #shownAt = Number.NEGATIVE_INFINITY

  add({ scanned, deliveries, tooLarge = 0 }: Page): void {
    this.#scanned += scanned
    this.#tooLarge += tooLarge
    this.#found += deliveries.length
  }

  show(left: number): void {
    const now = performance.now()
    if (now - this.#shownAt < progressIntervalMs) return
    this.#shownAt = now
    const text = `Searched ${this.#scanned} deliveries, found ${this.#found}; up to ${left} left`
    stderr.write(stderr.isTTY ? clearLine + text : `${text}\n`)
  }

  end(): void {
    if (stderr.isTTY && this.#shownAt !== Number.NEGATIVE_INFINITY) stderr.write(clearLine)
    if (this.#tooLarge > 0) stderr.write(`${plural(this.#tooLarge, 'payload')} too large to search\n`)
  }
}
