import type { BasicStore, Capability, Store } from '../../inbox/inbox.ts'
import type { DoomedWork, DoomedWorker } from './doomed-worker.ts'

/** One requirement for every store. `run` rejects with an `AssertionError` if the store does not meet it. */
export interface InboxContractCase<Tested extends BasicStore = Store> {
  /** Identifies the case, whatever its name is. */
  id: string
  /** Describes the promise. */
  name: string
  /** The capabilities that the store needs for this case, besides those of a `BasicStore`. Default: none. */
  needs?: readonly Capability[]
  /** Rejects if the store breaks the promise. */
  run(host: InboxContractHost<Tested>): Promise<void>
}

/** Creates the stores under test, and closes everything that a case leaves open. */
export interface InboxContractHost<Tested extends BasicStore = Store> {
  /**
   * Creates an empty store. If it prunes, its retention is less than a year. It ends due tasks as `gone` if no worker has
   * registered their handler for a few seconds.
   */
  create(): Promise<ContractStore<Tested>>
}

/** A store that runs the inbox contract. */
export interface ContractStore<Tested extends BasicStore = Store> {
  /**
   * Opens an inbox of the store. A case may open several at the same time, to act as several processes. It may also
   * close one and open another, to act as a process that restarts.
   */
  open(): Promise<Tested>
  /**
   * Starts another process that calls `inboxContract.workUntilKilled` with this work on its own inbox, and resolves
   * when its tasks are claimed. Pass your program to `inboxContract.startWorker`, which does this.
   */
  startWorker(work: DoomedWork): Promise<DoomedWorker>
}

/** Opens an inbox on an empty store. */
export async function openNew(host: InboxContractHost): Promise<Store> {
  const store = await host.create()
  return store.open()
}
