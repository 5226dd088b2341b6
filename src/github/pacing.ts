import { getOrCreate } from '../runtime/get-or-create.ts'
import { startTimer } from '../runtime/timer.ts'

/** The part of a `Bottleneck.Group` that Octokit's throttling plugin uses. */
export interface PacingGroup {
  key(id: string): {
    /** @param options `weight`: 0 for a request that is sent again, and has waited for the rate limit already. */
    schedule(options: { weight?: number }, work: (...args: unknown[]) => unknown, ...args: unknown[]): Promise<unknown>
  }
}

/** Whose requests a group spaces. */
interface Sender {
  /** Ends the waits. */
  signal: AbortSignal
  /** Whether its requests let all others go first. */
  isBackground: boolean
}

/** The requests with one id. */
interface Line {
  /** When the next request would be due without a burst. */
  next: number
  readonly waiting: Set<() => void>
  /** They are sent when none of the others waits. */
  readonly waitingInBackground: Set<() => void>
  /** Whether a timer runs, which sends the next request that waits. */
  isTimed: boolean
}

/**
 * Spaces the requests with the same id: after `burst` requests at once, one each `interval` milliseconds. A pause of
 * `interval` allows one more at once. The plugin's own groups have no burst, so a handler that may take nine seconds
 * could not send four comments. In these groups, an aborted request also keeps its turn, and so delays the others.
 */
export class Pacing {
  readonly #interval: number
  readonly #span: number
  /** By id. The id whose request was sent last is the last one. */
  readonly #lines = new Map<string, Line>()

  constructor(interval: number, burst: number) {
    this.#interval = interval
    this.#span = interval * (burst - 1)
  }

  /** The group for the requests of one sender. All senders share the turns of an id. */
  for(sender: Sender): PacingGroup {
    return {
      key: (id) => ({
        schedule: async ({ weight }, work, ...args) => {
          if (weight !== 0) await this.turn(id, sender)
          return work(...args)
        },
      }),
    }
  }

  /** Waits until a request may be sent. @throws the reason of the signal. */
  async turn(id: string, { signal, isBackground }: Sender): Promise<void> {
    signal.throwIfAborted()
    const line = getOrCreate(this.#lines, id, newLine)
    if (!line.isTimed && this.#waitOf(line) <= 0) return this.#take(id, line)
    const queue = isBackground ? line.waitingInBackground : line.waiting
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = () => {
      if (queue.delete(resolve)) reject(signal.reason)
    }
    queue.add(resolve)
    signal.addEventListener('abort', abort)
    this.#startTimer(id, line)
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  #startTimer(id: string, line: Line): void {
    if (line.isTimed || count(line) === 0) return
    line.isTimed = true
    startTimer(() => this.#sendNext(id, line), this.#waitOf(line), true)
  }

  #sendNext(id: string, line: Line): void {
    line.isTimed = false
    const queue = line.waiting.size > 0 ? line.waiting : line.waitingInBackground
    const [send] = queue
    if (!send) return // all of them were aborted
    queue.delete(send)
    this.#take(id, line)
    send()
    this.#startTimer(id, line)
  }

  /** Milliseconds until the next request may be sent. */
  #waitOf({ next }: Line): number {
    return next - this.#span - performance.now()
  }

  #take(id: string, line: Line): void {
    const now = performance.now()
    line.next = Math.max(line.next, now) + this.#interval
    this.#lines.delete(id)
    for (const [other, idle] of this.#lines) {
      if (idle.next > now || count(idle) > 0) break
      this.#lines.delete(other)
    }
    this.#lines.set(id, line)
  }
}

const newLine = (): Line => ({ next: 0, waiting: new Set(), waitingInBackground: new Set(), isTimed: false })

const count = ({ waiting, waitingInBackground }: Line): number => waiting.size + waitingInBackground.size

const noPause: PacingGroup = { key: () => ({ schedule: async (_options, work, ...args) => work(...args) }) }

/** The groups of requests that the plugin spaces. */
type GroupName = 'write' | 'notifications' | 'search'

const all: Readonly<Record<GroupName, Pacing>> = {
  write: new Pacing(1000, 10),
  notifications: new Pacing(3000, 10),
  search: new Pacing(2000, 1),
}

/**
 * The plugin's options for the groups of requests that it spaces, for one sender. All Octokits share the turns.
 * @param sender `undefined`: its requests have no pauses.
 */
export function pacingFor(sender: Sender | undefined): Record<GroupName, PacingGroup> {
  const groupOf = (pacing: Pacing) => (sender ? pacing.for(sender) : noPause)
  return { write: groupOf(all.write), notifications: groupOf(all.notifications), search: groupOf(all.search) }
}
