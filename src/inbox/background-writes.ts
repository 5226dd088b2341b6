import { Counters } from './counters.ts'
import type { Inbox } from './inbox.ts'
import { ProcessRegistry } from './process-registry.ts'
import { RejectionBuffer } from './rejection-buffer.ts'

/**
 * The writes of a process to an inbox that no request and no handler waits for. Each of them collects events, writes
 * them after a moment, and tries again later if that fails.
 */
export class BackgroundWrites {
  readonly rejections: RejectionBuffer
  readonly counters: Counters
  readonly registry: ProcessRegistry

  constructor(inbox: Inbox) {
    this.rejections = new RejectionBuffer(inbox)
    this.counters = new Counters(inbox)
    this.registry = new ProcessRegistry(inbox)
  }

  /** Writes pending rejections and counts, and unregisters the process. */
  async close(): Promise<void> {
    await Promise.all([this.rejections.flush(), this.counters.flush(), this.registry.unregister()])
  }
}
