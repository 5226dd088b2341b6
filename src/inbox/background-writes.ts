import { Ledger } from './counters.ts'
import type { Inbox } from './inbox.ts'
import { Attendance } from './process-registry.ts'
import { RefusalBook } from './rejection-buffer.ts'

/** What is written into an inbox beside deliveries. */
export class Books {
  readonly refusals: RefusalBook
  readonly ledger: Ledger
  readonly attendance: Attendance

  constructor(inbox: Inbox) {
    this.refusals = new RefusalBook(inbox)
    this.ledger = new Ledger(inbox)
    this.attendance = new Attendance(inbox)
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    await Promise.all([this.refusals.flush(), this.ledger.flush(), this.attendance.end()])
  }
}
