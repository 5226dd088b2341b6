import { startTimer } from '../runtime/timer.ts'
import { hasCapability } from './capabilities.ts'
import { Counters } from './counters.ts'
import type { BasicStore } from './inbox.ts'
import { LoadSampler } from './load-sampler.ts'
import { ProcessRegistry } from './processes.ts'
import { maxRejections, type Rejection } from './records.ts'
import type { Statistics } from './statistics.ts'
import { redactHeaders } from './store-delivery.ts'

/**
 * The writes of this process to its inbox that no request and no handler waits for. If a write fails, a later write
 * repeats it. If the inbox lacks a capability, the writes that need it are left out.
 */
export class BackgroundWrites {
  readonly rejections: RejectionBuffer | undefined
  readonly counters: Counters | undefined
  readonly sampler: LoadSampler | undefined
  readonly registry: ProcessRegistry | undefined

  constructor(inbox: BasicStore) {
    if (hasCapability(inbox, 'Statistics')) {
      this.rejections = new RejectionBuffer(inbox)
      this.counters = new Counters(inbox)
      this.sampler = new LoadSampler(inbox, this.counters)
    }
    if (hasCapability(inbox, 'ProcessStore')) this.registry = new ProcessRegistry(inbox)
  }

  /** Writes pending rejections and counts, and unregisters the process. */
  async close(): Promise<void> {
    this.sampler?.stop()
    await Promise.all([this.rejections?.flush(), this.counters?.flush(), this.registry?.unregister()])
  }
}

/**
 * Milliseconds from the first collected rejection until the collected rejections are written. A flood of rejected
 * requests therefore causes no flood of commits.
 */
const flushInterval = 1000
/** Maximum bytes of a request's headers that are kept. */
const maxHeaderBytes = 4096
/** Maximum characters of a GUID and of an event name that are kept; both are unverified. */
const maxTextLength = 200

/** Collects rejected requests, and writes the newest of them to the inbox. */
export class RejectionBuffer {
  readonly #inbox: Pick<Statistics, 'recordRejections'>
  #pending: Rejection[] = []
  #scheduled = false

  constructor(inbox: Pick<Statistics, 'recordRejections'>) {
    this.#inbox = inbox
  }

  add(rejection: Rejection): void {
    if (this.#pending.push(rejection) > 2 * maxRejections) this.#pending.splice(0, maxRejections)
    if (this.#scheduled) return
    this.#scheduled = true
    startTimer(() => this.flush(), flushInterval)
  }

  /**
   * Writes the newest `maxRejections` of the collected rejections. If the write fails, the collected rejections stay
   * pending, and the flush after the next rejected request writes them.
   */
  async flush(): Promise<void> {
    this.#scheduled = false
    const pending = this.#pending
    if (pending.length === 0) return
    this.#pending = []
    try {
      await this.#inbox.recordRejections(pending.slice(-maxRejections).map(truncate))
    } catch {
      this.#pending.unshift(...pending)
    }
  }
}

/**
 * Removes secrets. Keeps the first headers that have at most `maxHeaderBytes` in total, and drops all later headers.
 * Shortens a long GUID or event name.
 */
function truncate(rejection: Rejection): Rejection {
  let left = maxHeaderBytes
  const kept = Object.entries(redactHeaders(rejection.headers)).filter(([name, value = '']) => {
    left -= name.length + value.length
    return left >= 0
  })
  const { guid, event } = rejection
  return {
    ...rejection,
    headers: Object.fromEntries(kept),
    guid: guid?.slice(0, maxTextLength),
    event: event?.slice(0, maxTextLength),
  }
}
