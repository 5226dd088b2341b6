import type { BasicInbox, Capability, Inbox } from '../../inbox/inbox.ts'
import type { DoomedWork, DoomedWorker } from './doomed-worker.ts'

/** One requirement for every store. `run` rejects with an `AssertionError` if the store does not meet it. */
export interface InboxContractCase<Store extends BasicInbox = Inbox> {
  id: string
  name: string
  /** The capabilities that the store needs for this case, besides those of a `BasicInbox`. Default: none. */
  needs?: readonly Capability[]
  run(host: InboxContractHost<Store>): Promise<void>
}

/** Creates the stores under test, and closes everything that a case leaves open. */
export interface InboxContractHost<Store extends BasicInbox = Inbox> {
  /**
   * Creates an empty store. If it prunes, its retention is less than a year. It ends due tasks as `gone` if no worker has
   * registered their handler for a few seconds.
   */
  create(): Promise<ContractStore<Store>>
}

/** A store that runs the inbox contract. */
export interface ContractStore<Store extends BasicInbox = Inbox> {
  /**
   * Opens an inbox of the store. A case may open several at the same time, to act as several processes. It may also
   * close one and open another, to act as a process that restarts.
   */
  open(): Promise<Store>
  /**
   * Starts another process that calls `inboxContract.workUntilKilled` with this work on its own inbox, and resolves when its tasks are
   * claimed. Pass your program to `inboxContract.startWorker`, which does this.
   */
  startWorker(work: DoomedWork): Promise<DoomedWorker>
}

/** Opens an inbox on an empty store. */
export async function openNew(host: InboxContractHost): Promise<Inbox> {
  const store = await host.create()
  return store.open()
}
