import type { DeliveryDetail, DeliverySummary, Page } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { conditionOf } from '../ui/search.ts'

/** The object that a delivery is about, as a filter of the list of deliveries. */
interface SameObject {
  repository: string
  number?: number
  ref?: string
  sha?: string
}

/** Maximum pages to request. One may not be enough, because the server ends a page early if the search takes long. */
const maxPages = 40

/** The issue or pull request, or else the branch or tag, or else the commit that a delivery is about. */
export function objectOf({ repository, number, ref, sha }: DeliverySummary): SameObject | undefined {
  if (repository === undefined) return undefined
  if (number !== undefined) return { repository, number }
  if (ref !== undefined) return { repository, ref }
  return sha === undefined ? undefined : { repository, sha }
}

/** A link to the list of the deliveries about the same object. */
export function linkToObject({ repository, number, ref, sha }: SameObject): string {
  const conditions = { repo: repository, number: number === undefined ? undefined : String(number), ref, sha }
  const given = Object.entries(conditions).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return linkTo('deliveries', { q: given.map(([name, value]) => conditionOf(name, value)).join(' ') })
}

/** The newest earlier delivery of the same event about the same object. */
export async function previousOf(detail: DeliveryDetail, signal: AbortSignal): Promise<DeliverySummary | undefined> {
  const object = objectOf(detail)
  const search = object && { ...object, event: detail.event, before: detail.id }
  return search && (await found(search, 1, signal))[0]
}

interface Related {
  newer: DeliverySummary[]
  older: DeliverySummary[]
}

/** Some newer and some older deliveries of any event. */
export async function relatedTo(detail: DeliveryDetail, signal: AbortSignal): Promise<Related | undefined> {
  const object = objectOf(detail)
  if (!object) return undefined
  const [newest, older] = await Promise.all([
    found({ ...object }, 5, signal),
    found({ ...object, before: detail.id }, 5, signal),
  ])
  return { newer: newest.filter(({ id }) => id > detail.id), older }
}

async function found(
  search: SameObject & { event?: string; before?: number },
  limit: number,
  signal: AbortSignal,
): Promise<DeliverySummary[]> {
  const deliveries: DeliverySummary[] = []
  let { before } = search
  for (let page = 0; page < maxPages && deliveries.length < limit; page++) {
    const answer: Page = await get('deliveries', { ...search, before, limit: limit - deliveries.length }, signal)
    deliveries.push(...answer.deliveries)
    before = answer.reached
    if (before === undefined) break
  }
  return deliveries
}
