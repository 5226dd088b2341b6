import type { Inbox } from '../../inbox/inbox.ts'
import type { DoomedWork, DoomedWorker } from './doomed-worker.ts'

/** One requirement for every store. `run` rejects with an `AssertionError` if the store does not meet it. */
export interface InboxContractCase {
  id: string
  name: string
  run(host: InboxContractHost): Promise<void>
}

/** Creates the stores under test, and closes everything that a case leaves open. */
export interface InboxContractHost {
  /**
   * Creates an empty store. Its retention is less than a year, and it ends due tasks as `gone` if no worker has
   * registered their handler for a few seconds.
   */
  create(): Promise<ContractStore>
}

export interface ContractStore {
  /**
   * Opens an inbox of the store. A case may open several at the same time, to act as several processes. It may also
   * close one and open another, to act as a process that restarts.
   */
  open(): Promise<Inbox>
  /**
   * Starts another process that runs `workUntilKilled` with this work on its own inbox, and resolves when its tasks are
   * claimed. Pass your program to `startDoomedWorker`, which does this.
   */
  startWorker(work: DoomedWork): Promise<DoomedWorker>
}

/** Opens an inbox on an empty store. */
export async function openNew(host: InboxContractHost): Promise<Inbox> {
  const store = await host.create()
  return store.open()
}
