import type { Query } from '../../inbox/query/query.ts'
import type { DeliveryState, DeliverySummary } from '../../inbox/records.ts'
import type { AdminClient } from '../admin-client.ts'
import { abortOnSignal } from '../output.ts'
import { search } from './selection.ts'

const pageSize = 100
const pageBudgetMs = 1000

/**
 * Prints the newest deliveries that match a query, oldest first. Then prints each delivery that matches later, until the
 * process is interrupted. Prints a delivery again when it ends or will be retried.
 * @param print Returns false if standard output takes no more text.
 */
export async function follow(
  client: Pick<AdminClient, 'list' | 'changes'>,
  query: Query,
  limit: number,
  print: (deliveries: readonly DeliverySummary[]) => Promise<boolean>,
): Promise<void> {
  const signal = abortOnSignal()
  let followed: FollowedDeliveries | undefined
  for await (const _ of client.changes(signal)) {
    let news: DeliverySummary[]
    if (followed) {
      news = followed.newsIn(await newestOf(client, query, followed.newest))
      if (news.length === 0) continue
    } else {
      const max = Math.max(limit, pageSize)
      const found: DeliverySummary[] = []
      for await (const deliveries of search(client, query, max, signal)) found.push(...deliveries)
      followed = new FollowedDeliveries(found, found.length < max)
      news = found.slice(0, limit).toReversed() // may be empty: a table without rows shows its titles
    }
    if (!(await print(news))) return
  }
}

/** A page of the newest deliveries, or several if more than a page have ids above `id`. */
async function newestOf(client: Pick<AdminClient, 'list'>, query: Query, id: number): Promise<DeliverySummary[]> {
  const found: DeliverySummary[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await client.list({ ...query, cursor, limit: pageSize, budget: pageBudgetMs })
    found.push(...page.deliveries)
    const oldest = page.deliveries.at(-1)
    if (page.deliveries.length < pageSize || page.next === undefined || (oldest && oldest.id <= id)) return found
    cursor = page.next
  }
}

/** Not printed again: a delivery that is printed when it arrives is soon in another state. */
const passing: ReadonlySet<DeliveryState> = new Set(['pending', 'running'])

/** The maximum number of deliveries to remember. Half of them are forgotten together. */
const maxRemembered = 10_000

/** The deliveries that have matched until now. */
class FollowedDeliveries {
  /** The highest id. */
  newest = 0
  /** The states in which the deliveries were found at the start, or printed later. */
  readonly #states = new Map<number, DeliveryState>()
  /** The highest id of the deliveries that matched before and are not remembered. */
  #floor: number

  /**
   * @param found The newest deliveries at the start, newest first.
   * @param isComplete Whether no others matched.
   */
  constructor(found: readonly DeliverySummary[], isComplete: boolean) {
    this.#floor = isComplete ? 0 : (found.at(-1)?.id ?? 0)
    this.#remember(found)
  }

  /** The deliveries to print, oldest first. @param found Newest first. */
  newsIn(found: readonly DeliverySummary[]): DeliverySummary[] {
    const isNews = ({ id, state }: DeliverySummary) => {
      const known = this.#states.get(id)
      return known === undefined ? id > this.#floor : known !== state && !passing.has(state)
    }
    const news = found.filter(isNews)
    this.#remember(news)
    return news.toReversed()
  }

  #remember(deliveries: readonly DeliverySummary[]): void {
    for (const { id, state } of deliveries) this.#states.set(id, state)
    this.newest = Math.max(this.newest, deliveries[0]?.id ?? 0)
    if (this.#states.size <= maxRemembered) return
    const oldest = [...this.#states.keys()].sort((a, b) => a - b).slice(0, -maxRemembered / 2)
    for (const id of oldest) this.#states.delete(id)
    this.#floor = oldest.at(-1) ?? this.#floor
  }
}
