import { stderr } from 'node:process'
import type { Query } from '../../inbox/query/query.ts'
import type { DeliverySummary, Page } from '../../inbox/records.ts'
import type { Operator } from '../operator.ts'
import { counted } from '../printing.ts'

/** Deliveries in a page, at most, and milliseconds that one may take. */
const [pageLimit, budget] = [500, 1000]

/**
 * What a query finds, newest first, page by page. A page ends when its time is over, wherever it is: it goes on until
 * `most` are found, or nothing is left to look at.
 */
export async function* search(
  operator: Pick<Operator, 'list'>,
  query: Query,
  most: number,
): AsyncGenerator<readonly DeliverySummary[], void> {
  const progress = new Progress()
  let { before } = query
  try {
    for (let left = most; left > 0; ) {
      const limit = Math.min(left, pageLimit)
      const page: Page = await operator.list({ ...query, before, limit, budget })
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

/** Milliseconds between two looks at how far it came. */
const interval = 500

/** On a terminal one line that changes; elsewhere a line each time. */
class Progress {
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
    if (now - this.#shownAt < interval) return
    this.#shownAt = now
    const text = `Looked at ${this.#scanned} deliveries, ${this.#found} found; up to ${left} to go`
    stderr.write(stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  }

  end(): void {
    if (stderr.isTTY && this.#shownAt !== Number.NEGATIVE_INFINITY) stderr.write('\r\x1b[K')
    this.#shownAt = Number.NEGATIVE_INFINITY
    if (this.#tooLarge > 0) stderr.write(`${counted(this.#tooLarge, 'payload')} too large to search\n`)
  }
}
