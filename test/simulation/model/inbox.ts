/** The inbox of one process on the model. */
import type {
  AvailableWork,
  HandlerPolicy,
  MatchOffer,
  NewDelivery,
  RetryOptions,
  Store,
  StoreResult,
} from '../../../src/inbox/inbox.ts'
import { selectionsOf } from '../../../src/inbox/operation-batches.ts'
import type { Query, SelectedIds, Selection } from '../../../src/inbox/query/query.ts'
import type {
  AttemptResult,
  ClaimRequest,
  DecideMatches,
  LeasedAttempt,
  MatchResult,
} from '../../../src/inbox/task-queue.ts'
import { HeartbeatMonitor, leaseDuration } from '../../../src/inbox/worker-heartbeats.ts'
import { pollInterval } from '../store.ts'
import type { ModelData } from './data.ts'
import { type LeaseSettings, registerWorker, releaseLeases, releaseWorker, renewLeases } from './leases.ts'
import { offer, recordMatches, toStoredDelivery } from './match.ts'
import { discard, prune, retry, retryHandler, store } from './operations.ts'
import { body, detailOf, list, overview } from './reader.ts'
import { claim, finishAll, nextDueAt } from './tasks.ts'

/** The data that the inboxes of all processes share, and the connection of one of them. */
export interface ModelConnection {
  data: ModelData
  /** The inboxes of all processes: each is told that another process may have made work available. */
  listeners: Set<(work: AvailableWork) => void>
  settings: LeaseSettings
  /** Sends a call to the store. `carryOut` changes the data, and returns the answer. */
  send<T>(method: string, carryOut: () => T): Promise<T>
  /** Runs code of the process. */
  run(work: () => void): void
}

/** The methods of an inbox that the model has: those that workers, receivers and operators use. */
export type ModelledInbox = Pick<
  Store,
  | 'pollInterval'
  | 'leaseDuration'
  | 'store'
  | 'registerWorker'
  | 'updateWorker'
  | 'releaseWorker'
  | 'releaseLeases'
  | 'match'
  | 'countMatchAttempt'
  | 'forgetMatchAttempts'
  | 'claim'
  | 'load'
  | 'finish'
  | 'nextDueAt'
  | 'retry'
  | 'discard'
  | 'pause'
  | 'resume'
  | 'prune'
  | 'list'
  | 'get'
  | 'body'
  | 'overview'
  | 'close'
>

type OnWork = (work: AvailableWork) => void

/** How often a call that makes work available tells another process so. A store need not do it. */
const notified = 0.2

export class ModelInbox implements ModelledInbox {
  readonly pollInterval = pollInterval
  readonly leaseDuration: number
  readonly #connection: ModelConnection
  readonly #data: ModelData
  readonly #workers = new Map<number, { handlers: readonly HandlerPolicy[]; onWork: OnWork | undefined }>()
  readonly #timer: ReturnType<typeof setInterval>

  constructor(connection: ModelConnection) {
    const { data, settings, listeners } = connection
    this.#connection = connection
    this.#data = data
    this.leaseDuration = leaseDuration(settings.heartbeat)
    const monitor = new HeartbeatMonitor()
    let heartbeats = 0
    this.#timer = setInterval(() => {
      const alive = new Map([...this.#workers].map(([id, { handlers }]) => [id, handlers]))
      renewLeases(data, alive, monitor, settings, ++heartbeats, Date.now())
    }, settings.heartbeat)
    listeners.add(this.#hear)
  }

  store(delivery: NewDelivery): Promise<StoreResult> {
    return this.#call('store', 'unmatched', () => store(this.#data, delivery, Date.now()))
  }

  async registerWorker(handlers: readonly HandlerPolicy[], onWork?: OnWork): Promise<number> {
    const worker = await this.#connection.send('registerWorker', () =>
      registerWorker(this.#data, handlers, this.#connection.settings.heartbeat),
    )
    this.#workers.set(worker, { handlers, onWork })
    return worker
  }

  async updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    const { onWork } = this.#workers.get(worker) ?? {}
    this.#workers.set(worker, { handlers, onWork })
    await this.#connection.send('updateWorker', () => {
      const registered = this.#data.workers.get(worker)
      if (registered) registered.handlers = handlers
    })
  }

  async releaseWorker(worker: number): Promise<void> {
    this.#workers.delete(worker)
    await this.#call('releaseWorker', 'due', () => releaseWorker(this.#data, worker, Date.now()))
  }

  releaseLeases(worker: number, except: readonly LeasedAttempt[]): Promise<void> {
    return this.#call('releaseLeases', 'due', () => releaseLeases(this.#data, worker, except, Date.now()))
  }

  async match(worker: number, request: MatchOffer, decide: DecideMatches): Promise<MatchResult> {
    const offered = await this.#connection.send('offer', () => offer(this.#data, request))
    const matches = offered.length > 0 ? await decide(offered) : []
    if (matches.length === 0) return { matched: 0, claimed: [] }
    return this.#call('recordMatches', 'due', () => recordMatches(this.#data, worker, matches, request))
  }

  countMatchAttempt(id: number): Promise<number> {
    return this.#connection.send('countMatchAttempt', () => {
      const delivery = this.#data.deliveries.get(id)
      return delivery ? ++delivery.matchAttempts : 1
    })
  }

  forgetMatchAttempts(id: number): Promise<void> {
    return this.#connection.send('forgetMatchAttempts', () => {
      const delivery = this.#data.deliveries.get(id)
      if (delivery) delivery.matchAttempts = 0
    })
  }

  claim(worker: number, request: ClaimRequest) {
    return this.#connection.send('claim', () => claim(this.#data, worker, request))
  }

  load(ids: readonly number[]) {
    return this.#connection.send('load', () =>
      ids.flatMap((id) => this.#data.deliveries.get(id) ?? []).map(toStoredDelivery),
    )
  }

  finish(worker: number, results: readonly AttemptResult[]) {
    return this.#call('finish', 'due', () => finishAll(this.#data, worker, results))
  }

  nextDueAt(handlers: readonly string[], sources?: readonly string[]): Promise<number | undefined> {
    return this.#connection.send('nextDueAt', () => nextDueAt(this.#data, handlers, sources))
  }

  retry(selection: Selection, { handler }: RetryOptions = {}): Promise<number> {
    return this.#forEachSelected('retry', selection, (id) => {
      return handler === undefined ? retry(this.#data, id) : retryHandler(this.#data, id, handler)
    })
  }

  discard(selection: Selection, reason: string): Promise<number> {
    return this.#forEachSelected('discard', selection, (id) => discard(this.#data, id, reason))
  }

  pause(handler: string): Promise<void> {
    return this.#connection.send('pause', () => void this.#data.pauses.add(handler))
  }

  resume(handler: string): Promise<void> {
    return this.#call('resume', 'due', () => void this.#data.pauses.delete(handler))
  }

  prune(now: number): Promise<number> {
    return this.#connection.send('prune', () => prune(this.#data, now))
  }

  list(query: Query) {
    return this.#connection.send('list', () => list(this.#data, query))
  }

  get(id: number) {
    return this.#connection.send('get', () => detailOf(this.#data, id))
  }

  body(id: number) {
    return this.#connection.send('body', () => body(this.#data, id))
  }

  overview() {
    return this.#connection.send('overview', () => overview(this.#data))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#connection.listeners.delete(this.#hear)
  }

  /** Calls the store, and tells the workers of all processes that there may be work. */
  #call<T>(method: string, work: AvailableWork, carryOut: () => T): Promise<T> {
    return this.#connection.send(method, () => {
      const answer = carryOut()
      for (const hear of this.#connection.listeners) if (Math.random() < notified) hear(work)
      return answer
    })
  }

  readonly #hear = (work: AvailableWork): void => {
    const tell = () => {
      for (const { onWork } of this.#workers.values()) onWork?.(work)
    }
    this.#connection.run(() => setTimeout(tell, 0))
  }

  #forEachSelected(method: string, selection: Selection, act: (id: number) => boolean): Promise<number> {
    return this.#call(method, method === 'retry' ? 'unmatched' : 'due', () => {
      const selections = 'ids' in selection ? [selection] : selectionsOf(list(this.#data, selection.query).deliveries)
      const isIn = (id: number, { states }: SelectedIds) => {
        const state = this.#data.deliveries.get(id)?.state
        return state !== undefined && (!states || states.includes(state))
      }
      return selections.flatMap((selected) => selected.ids.filter((id) => isIn(id, selected) && act(id))).length
    })
  }
}
