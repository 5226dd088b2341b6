import { describeUnknown, isKnownName, reportedNames, splitName } from '../events.ts'
import type { Settings } from '../settings.ts'
import { hasCapability } from './capabilities.ts'
import type { DeliveryReader } from './inbox.ts'

type Mount = Pick<Settings, 'inbox' | 'logger'>

/**
 * Warns about handlers for names that this version of hookserver does not know. Such a name is either mistyped or newer
 * than this version. If the inbox has a delivery with the name, GitHub has sent it, so there is no warning.
 *
 * The names wait for the first mount, because an application may give the inbox and the logger to the mount only.
 */
export class UnknownNames {
  /** With the place of the first registration. */
  readonly #waiting = new Map<string, string | undefined>()
  #mount: Mount | undefined

  /** Adds the name of a handler. @param at Where the handler was registered. */
  add(name: string, at: string | undefined): void {
    if (isKnownName(name)) return
    if (this.#mount) void check(name, at, this.#mount)
    else if (!this.#waiting.has(name)) this.#waiting.set(name, at)
  }

  /** Checks all names with the inbox of the first mount, and writes warnings to its logger. */
  checkAt(mount: Mount): void {
    this.#mount ??= mount
    for (const [name, at] of this.#waiting) void check(name, at, this.#mount)
    this.#waiting.clear()
  }
}

async function check(name: string, at: string | undefined, { inbox, logger }: Mount): Promise<void> {
  try {
    if (inbox && hasCapability(inbox, 'DeliveryReader') && (await hasReceived(inbox, name))) return
  } catch {
    return // It is not known whether GitHub has sent the event. Other calls to the inbox report the error.
  }
  if (reportedNames.has(name)) return
  reportedNames.add(name)
  logger.warn({ name, ...(at !== undefined && { at }) }, describeUnknown(name, 'ignore this warning: the handler runs'))
}

/**
 * Whether the inbox has a delivery with this name or, if the event is unknown too, with this event. If an event has so
 * many deliveries that a search for one of its actions takes too long, only its newest deliveries count.
 */
export async function hasReceived(inbox: Pick<DeliveryReader, 'list'>, name: string): Promise<boolean> {
  const [event, action] = splitName(name)
  const { deliveries } = await inbox.list({ event, action: isKnownName(event) ? action : undefined, limit: 1 })
  return deliveries.length > 0
}
