import { Counters } from './counters.ts'
import type { Inbox } from './inbox.ts'
import { ProcessRegistry } from './process-registry.ts'
import { RejectionBuffer } from './rejection-buffer.ts'

/** What is written into an inbox beside deliveries. */
export class BackgroundWrites {
  readonly rejections: RejectionBuffer
  readonly counters: Counters
  readonly registry: ProcessRegistry

  constructor(inbox: Inbox) {
    this.rejections = new RejectionBuffer(inbox)
    this.counters = new Counters(inbox)
    this.registry = new ProcessRegistry(inbox)
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    await Promise.all([this.rejections.flush(), this.counters.flush(), this.registry.unregister()])
  }
}
