import { diagnostics } from '../diagnostics.ts'
import type { Begun, HandlerPolicy, Outcome, Parcel, Plan, Receipt, Standing } from '../inbox/inbox.ts'
import { claim, isEarly } from './claiming.ts'
import type { Session } from './connection.ts'
import { asked, Database, type Target, type Work } from './database.ts'
import { dispatch } from './dispatching.ts'
import { Group } from './group.ts'
import { Handing } from './handing.ts'
import { Jobs } from './jobs.ts'
import { Keeping } from './keeping.ts'
import { channelOf, Listener } from './listener.ts'
import { checkDatabase, prepareDatabase } from './opening.ts'
import type { PostgresSettings } from './options.ts'
import { type Packed, packUp, storeKnown, storeNew } from './storing.ts'
import { finish, type Told } from './tasks.ts'
import { announce, dismiss, enlist } from './workers.ts'

/** Connections that only deliveries are stored through, so that whatever else is asked for cannot delay an answer. */
const receiving = 2

/** What can be asked while the store is open. */
export interface Opened {
  database: Database
  settings: PostgresSettings
  jobs: Jobs
  handing: Handing
  /** Runs a transaction; when it has made something due, who waits for that is told. */
  write<T>(work: (session: Session, jobs: Jobs) => Promise<T>): Promise<T>
}

/** A process's part of an inbox in PostgreSQL. It connects when it is first asked for something. */
export class Store {
  readonly #opened: Opened
  readonly #door: Database
  readonly #keeping: Keeping
  readonly #listener: Listener
  readonly #rousers = new Map<number, () => void>()
  readonly #storing: Group<Packed, Receipt>
  readonly #finishing: Group<Told, Standing | undefined>
  #opening: Promise<void> | undefined
  #closed: Promise<void> | undefined
  /** What was asked for and is not answered yet. */
  readonly #asked = new Set<Promise<unknown>>()
  /** When the senders of what was committed together were told; noted by the next transaction. */
  #acks: { batch: number; at: number }[] = []
  #telling = false
  #tellAgain = false

  constructor(target: Target, settings: PostgresSettings) {
    const database = new Database(target, settings, { max: settings.connections - receiving, name: 'worker' })
    this.#door = new Database(target, settings, { max: receiving, name: 'receiver' })
    const jobs = new Jobs(database, settings.schema, { migrate: false, supervises: false })
    const handing = new Handing(database, jobs)
    this.#opened = { database, settings, jobs, handing, write: (work) => this.#write(database, work) }
    this.#keeping = new Keeping(target, settings)
    this.#listener = new Listener(target, settings, () => {
      for (const rouse of this.#rousers.values()) rouse()
    })
    const many = { most: 200, mostWeight: 8 * 1024 * 1024 }
    this.#storing = new Group((parcels) => this.#storeAll(parcels), {
      ...many,
      lanes: receiving,
      weigh: ({ bytes }) => bytes.length,
    })
    this.#finishing = new Group((told) => this.#transact((session) => finish(session, jobs, told)), {
      ...many,
      lanes: 2,
      weigh: ({ error = '', result = '', log = '' }) => error.length + result.length + log.length,
    })
  }

  /** Does something that is done before the store is closed. @throws {Error} if it is closed. */
  ask<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    const asked = this.#open().then(() => work(this.#opened))
    this.#asked.add(asked)
    return asked.finally(() => this.#asked.delete(asked))
  }

  write<T>(work: (session: Session, jobs: Jobs) => Promise<T>): Promise<T> {
    return this.ask(({ write }) => write(work))
  }

  /** Stores a delivery, together with those that come at the same time. */
  keep(parcel: Parcel): Promise<Receipt> {
    return this.ask(async () => {
      this.#keeping.start() // whoever only stores needs pruning too
      return this.#storing.add(await packUp(parcel))
    })
  }

  enlist(handlers: readonly HandlerPolicy[], rouse?: () => void): Promise<number> {
    return this.ask(async ({ database, settings, jobs }) => {
      await jobs.prepare(namesOf(handlers))
      const worker = await enlist(database, handlers, settings.heartbeat)
      this.#keeping.hold(worker, handlers)
      if (rouse) {
        this.#rousers.set(worker, rouse)
        this.#listener.start()
      }
      return worker
    })
  }

  announce(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    return this.ask(async ({ database, jobs }) => {
      await jobs.prepare(namesOf(handlers))
      this.#keeping.hold(worker, handlers)
      await announce(database, worker, handlers)
    })
  }

  dismiss(worker: number): Promise<void> {
    return this.ask(async ({ handing, write }) => {
      this.#keeping.letGo(worker)
      this.#rousers.delete(worker)
      await write((session, jobs) => dismiss(session, jobs, worker, Date.now()))
      if (this.#rousers.size === 0) await handing.giveBack()
    })
  }

  dispatch(worker: number, plans: readonly Plan[], now: number): Promise<Begun[]> {
    const ids = plans.map(({ id }) => id)
    return this.ask(async ({ handing, jobs }) => {
      await jobs.prepare(new Set(plans.flatMap(({ tasks }) => tasks.map(({ handler }) => handler))))
      handing.planned(ids)
      let matched: readonly number[] = []
      try {
        const dispatched = await this.#transact((session) => dispatch(session, jobs, worker, plans, now))
        matched = dispatched.ids
        return dispatched.begun
      } finally {
        handing.dispatched(ids, matched)
      }
    })
  }

  claim(worker: number, wanted: Readonly<Record<string, number>>, bytes: number, now: number): Promise<Begun[]> {
    const open = Object.entries(wanted).filter(([, limit]) => limit > 0)
    return this.ask(async ({ database, jobs }) => {
      const names = open.map(([handler]) => handler)
      await jobs.prepare(names)
      const ready = await jobs.ready(database, names, isEarly(now))
      if (ready.size === 0) return []
      const those = Object.fromEntries(open.filter(([handler]) => ready.has(handler)))
      for (;;) {
        const { begun, more } = await this.#transact((session) => {
          return claim(session, jobs, { worker, wanted: those, bytes, now })
        })
        if (begun.length > 0 || !more) return begun
      }
    })
  }

  finish(worker: number, outcomes: readonly Outcome[]): Promise<Standing[]> {
    return this.ask(async () => {
      const told = await Promise.all(outcomes.map((outcome) => this.#finishing.add({ ...outcome, worker })))
      return [...new Map(told.flatMap((one) => (one ? [[one.id, one]] : []))).values()]
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#asked)
    const { database, jobs, handing } = this.#opened
    if (this.#opening) {
      await handing.giveBack().catch(() => undefined) // in ten seconds they are given back without us
      await this.#noteAcks().catch(() => undefined)
    }
    await this.#keeping.close()
    await this.#listener.close()
    await jobs.stop().catch(() => undefined)
    await Promise.all([database.close(), this.#door.close()])
  }

  /** Once; but again after it has failed. */
  #open(): Promise<void> {
    this.#opening ??= this.#prepare().catch((cause: Error) => {
      this.#opening = undefined
      throw new Error(`Cannot open the inbox in PostgreSQL: ${cause.message}`, { cause })
    })
    return this.#opening
  }

  async #prepare(): Promise<void> {
    const { database, settings, jobs } = this.#opened
    if (settings.migrate) await prepareDatabase(database, settings)
    else await checkDatabase(database, settings)
    await jobs.start()
  }

  #write<T>(database: Database, work: (session: Session, jobs: Jobs) => Promise<T>): Promise<T> {
    return this.#transact(async (session) => {
      const worked = await work(session, this.#opened.jobs)
      return () => Promise.resolve(worked)
    }, database)
  }

  async #transact<T>(work: Work<T>, database: Database = this.#opened.database): Promise<T> {
    let last: Session | undefined
    const result = await database.transact((session) => {
      last = session
      return work(session)
    })
    if (last?.due) this.#tell()
    return result
  }

  /** What is new in one transaction; what turns out to be known in another, which is rare. */
  async #storeAll(parcels: readonly Packed[]): Promise<Receipt[]> {
    const [began, acks] = [performance.now(), this.#acks.splice(0)]
    try {
      const { jobs } = this.#opened
      const { ids, batch, idle } = await this.#door.transact((session) => {
        const all = Promise.all([storeNew(session, jobs, parcels), noteAcks(session, acks)])
        return asked(all.then(([inserted]) => inserted))
      })
      this.#tell()
      if (batch > 0) this.#acks.push({ batch, at: Date.now() })
      const known =
        idle.length > 0
          ? await this.#storeKnown(
              parcels.filter((_, index) => !ids.has(index)),
              idle,
            )
          : []
      const { committed } = diagnostics
      if (committed?.hasSubscribers) {
        committed.publish({ deliveries: parcels.length, duration: performance.now() - began })
      }
      return parcels.map((_, index) => {
        const id = ids.get(index)
        return id === undefined ? (known.shift() as Receipt) : { id, outcome: 'stored', conflict: false }
      })
    } catch (error) {
      this.#acks.push(...acks)
      throw error
    }
  }

  #storeKnown(parcels: readonly Packed[], idle: readonly string[]): Promise<Receipt[]> {
    return this.#write(this.#door, async (session, jobs) => {
      await jobs.remove(session, undefined, idle)
      return storeKnown(session, jobs, parcels)
    })
  }

  #noteAcks(): Promise<void> {
    return this.#door.transaction((session) => noteAcks(session, this.#acks.splice(0)))
  }

  /**
   * Says that there is something to do. Not in the transaction that made it due: PostgreSQL has transactions that
   * notify commit one after the other, each with an fsync of its own. If this is lost, whoever waits looks by itself.
   */
  #tell(): void {
    this.#tellAgain = true
    if (this.#telling) return
    this.#telling = true
    void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    const { database, settings } = this.#opened
    while (this.#tellAgain) {
      this.#tellAgain = false
      await database.run('select pg_notify($1, $2)', channelOf(settings.schema), '').catch(() => undefined)
    }
    this.#telling = false
  }
}

const namesOf = (handlers: readonly HandlerPolicy[]): string[] => handlers.map(({ name }) => name)

async function noteAcks(session: Session, acks: readonly { batch: number; at: number }[]): Promise<void> {
  if (acks.length === 0) return
  const columns = [acks.map(({ batch }) => batch), acks.map(({ at }) => at)]
  await session.run(insertAcks, ...columns)
}

const insertAcks = `
  insert into acks (batch, at)
  select batch, at from unnest($1::bigint[], $2::bigint[]) as told (batch, at)
  on conflict do nothing`
