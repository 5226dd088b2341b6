import type { Query } from '../../inbox/query/query.ts'
import type { DeliveryState, DeliverySummary } from '../../inbox/records.ts'
import type { AdminClient } from '../admin-client.ts'
import { abortOnSignal } from '../output.ts'

const pageSize = 100
const pageBudgetMs = 1000

/**
 * Prints the newest deliveries that match a query, oldest first, then each new one when it arrives, until the process
 * is interrupted. Prints a delivery again when it ends or will be retried.
 * @param print Returns false if standard output takes no more text.
 */
export async function follow(
  client: Pick<AdminClient, 'list' | 'changes'>,
  query: Query,
  limit: number,
  print: (deliveries: readonly DeliverySummary[]) => Promise<boolean>,
): Promise<void> {
  const followed = new Followed()
  let isFirst = true
  for await (const _ of client.changes(abortOnSignal())) {
    const found = isFirst ? await newest(client, query, limit) : await newSince(client, query, followed.newest)
    const news = followed.take(found)
    if ((isFirst || news.length > 0) && !(await print(news))) return // a table without rows shows its titles
    isFirst = false
  }
}

async function newest(client: Pick<AdminClient, 'list'>, query: Query, limit: number): Promise<DeliverySummary[]> {
  return (await client.list({ ...query, limit, budget: pageBudgetMs })).deliveries
}

/** A page of deliveries, or several if more than a page have ids above `id`. */
async function newSince(client: Pick<AdminClient, 'list'>, query: Query, id: number): Promise<DeliverySummary[]> {
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
const unfinished: ReadonlySet<DeliveryState> = new Set(['pending', 'running', 'retrying'])

/** The printed deliveries that may still change. */
export class Followed {
  /** The highest id that was printed. */
  newest = 0
  readonly #states = new Map<number, DeliveryState>()

  /** The deliveries to print, oldest first. @param found Newest first. */
  take(found: readonly DeliverySummary[]): DeliverySummary[] {
    const isNews = ({ id, state }: DeliverySummary) => {
      const printed = this.#states.get(id)
      return id > this.newest || (printed !== undefined && printed !== state && !passing.has(state))
    }
    const news = found.filter(isNews).toReversed()
    for (const { id, state } of news) {
      if (unfinished.has(state)) this.#states.set(id, state)
      else this.#states.delete(id)
    }
    this.newest = Math.max(this.newest, news.at(-1)?.id ?? 0)
    return news
  }
}
