import { startTimer } from '../runtime/timer.ts'
import type { Inbox } from './inbox.ts'
import { withoutSecrets } from './new-delivery.ts'
import { maxRejections, type Rejection } from './records.ts'

/** Milliseconds between two writes: a flood of refusals must not become a flood of commits. */
const flushInterval = 1000
/** Bytes that are kept of the headers of each. */
const maxHeaderBytes = 4096

/** Counts the requests that were refused, and keeps the newest of them in the inbox. */
export class RejectionBuffer {
  readonly #inbox: Inbox
  #latest: Rejection[] = []
  #counts: Record<string, number> = {}
  #scheduled = false

  constructor(inbox: Inbox) {
    this.#inbox = inbox
  }

  add(refusal: Rejection): void {
    this.#counts[refusal.code] = (this.#counts[refusal.code] ?? 0) + 1
    if (this.#latest.push(refusal) > 2 * maxRejections) this.#latest.splice(0, maxRejections)
    if (this.#scheduled) return
    this.#scheduled = true
    startTimer(() => this.flush(), flushInterval)
  }

  /** Writes what has come since the last time; what could not be written is part of the next. */
  async flush(): Promise<void> {
    this.#scheduled = false
    const [latest, counts] = [this.#latest, this.#counts]
    if (latest.length === 0) return
    this.#latest = []
    this.#counts = {}
    try {
      await this.#inbox.recordRejections(latest.slice(-maxRejections).map(truncate), counts)
    } catch {
      this.#latest.unshift(...latest)
      for (const [code, count] of Object.entries(counts)) this.#counts[code] = (this.#counts[code] ?? 0) + count
    }
  }
}

/** The first headers, as far as they fit. */
function truncate(refusal: Rejection): Rejection {
  let left = maxHeaderBytes
  const kept = Object.entries(withoutSecrets(refusal.headers)).filter(([name, value = '']) => {
    left -= name.length + value.length
    return left >= 0
  })
  const { guid, event } = refusal
  return {
    ...refusal,
    headers: Object.fromEntries(kept),
    guid: guid?.slice(0, maxTextLength),
    event: event?.slice(0, maxTextLength),
  }
}

/** Characters of a GUID or an event's name that nobody has verified. */
const maxTextLength = 200
