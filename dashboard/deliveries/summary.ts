import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'

/** The event with its action: `issues.opened`. */
export const nameOf = ({ event, action }: Pick<DeliverySummary, 'event' | 'action'>): string =>
  action === undefined ? event : `${event}.${action}`

/** A one-line summary of a delivery. */
export function summaryOf({ number, title, ref, sha }: DeliverySummary): string {
  const what = number !== undefined ? `#${number}` : ref !== undefined ? shortRef(ref) : sha?.slice(0, 7)
  return [what, title].filter((part) => part !== undefined && part !== '').join(number === undefined ? ' · ' : ' ')
}

/** A branch or tag without Git's prefix. */
export const shortRef = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '')
