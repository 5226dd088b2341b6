import type { Inbox } from '../../inbox/inbox.ts'
import type { DoomedWork, DoomedWorker } from './doomed-worker.ts'

/** One thing that every store must do. `run` rejects with an `AssertionError` if it does not. */
export interface InboxContractCase {
  id: string
  name: string
  run(host: InboxContractHost): Promise<void>
}

/** Who brings the stores that are under contract. It closes what a case has left open, once the case has ended. */
export interface InboxContractHost {
  /**
   * Makes a store that holds nothing. It keeps what has ended for less than a year, and gives up what is due for a
   * handler that no worker has within seconds.
   */
  create(): Promise<ContractStore>
}

export interface ContractStore {
  /** An inbox on this store: the first, another beside it as another process has it, or one after all were closed. */
  open(): Promise<Inbox>
  /**
   * Starts another process, which has `workUntilKilled` do this work on an inbox of its own, and resolves once it has
   * claimed. `startDoomedWorker` does all but name the program.
   */
  startWorker(work: DoomedWork): Promise<DoomedWorker>
}

/** An inbox on a store that holds nothing. */
export async function openNew(host: InboxContractHost): Promise<Inbox> {
  const store = await host.create()
  return store.open()
}
