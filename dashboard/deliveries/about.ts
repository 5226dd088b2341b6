import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'

/** The event with its action: `issues.opened`. */
export const nameOf = ({ event, action }: Pick<DeliverySummary, 'event' | 'action'>): string =>
  action === undefined ? event : `${event}.${action}`

/** What it is about, in a line. */
export function aboutOf({ number, title, ref, sha }: DeliverySummary): string {
  const what = number !== undefined ? `#${number}` : ref !== undefined ? shortRef(ref) : sha?.slice(0, 7)
  return [what, title].filter((part) => part !== undefined && part !== '').join(number === undefined ? ' · ' : ' ')
}

/** A branch or tag without the folder that Git keeps it in. */
export const shortRef = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '')
