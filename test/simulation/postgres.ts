/** The real PostgreSQL store on a real server, with a simulated network between them. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import pg from 'pg'
import type { Store } from '../../src/inbox/inbox.ts'
import type { TaskState } from '../../src/inbox/records.ts'
import { migratePostgres, postgres } from '../../src/postgres/index.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'
import { Backends } from './postgres-backends.ts'
import { type NetworkFault, NetworkFaults } from './postgres-faults.ts'
import { Link, type Network, ProcessNetwork } from './postgres-network.ts'
import { Random } from './random.ts'
import {
  type Calls,
  type DeliveryRecord,
  pollInterval,
  type Schedule,
  type SimulatedStore,
  type Snapshot,
  storeSettings,
  type TaskRecord,
} from './store.ts'
import { currentProcess, type VirtualProcess, VirtualTime } from './virtual-time.ts'

const { setImmediate } = timers

const schema = 'simulated'

/** The schema of the functions that replace those of PostgreSQL. */
const replacements = 'simulation'

/** Turns of the event loop that the longest chain of `setImmediate` takes, such as a batch whose transaction commits. */
const maxTurns = 5

export class PostgresStore implements SimulatedStore, Network {
  readonly hasNetwork = true
  readonly backends: Backends
  readonly sessionSettings: string = `
    set search_path to "${schema}", ${replacements}, pg_catalog;
    set statement_timeout to 0; set lock_timeout to 0; set idle_in_transaction_session_timeout to 0`
  readonly #server: PostgresServer
  readonly #emptyTables: string
  readonly #restoreModules: () => void
  #schedule: Schedule = { random: new Random(0), time: new VirtualTime(), troubleEnds: 0, note: () => undefined }
  #faults = new NetworkFaults(this.#schedule)
  #processes: ProcessNetwork[] = []
  /** The links that are closed, and whose sessions the server has not ended yet. */
  readonly #closed = new Set<Link>()
  #snapshot: Snapshot = { deliveries: [] }
  #isSnapshotOld = true

  private constructor(server: PostgresServer, backends: Backends, emptyTables: string) {
    this.#server = server
    this.backends = backends
    this.#emptyTables = emptyTables
    this.#restoreModules = replaceModules(this)
  }

  /** Starts a server. */
  static async start(): Promise<PostgresStore> {
    const server = await startPostgres('fsync=off', 'max_connections=200', 'jit=off')
    await migratePostgres(server.url, { schema })
    const backends = await Backends.open(server.url, `${schema}_due`)
    await backends.control.query(createReplacements)
    const { rows } = await backends.control.query<{ statement: string }>(selectTables, [schema])
    return new PostgresStore(server, backends, rows.map(({ statement }) => statement).join(';'))
  }

  get random(): Random {
    return this.#schedule.random
  }

  now(): number {
    return this.#schedule.time.now
  }

  note(process: VirtualProcess, what: string): void {
    this.#schedule.note(`${process.name}: ${what}`, what)
  }

  async empty(schedule: Schedule): Promise<void> {
    this.#schedule = schedule
    this.#faults = new NetworkFaults(schedule)
    for (const { links } of this.#processes) for (const link of links) link.abandon()
    this.#processes = []
    await Promise.all([...this.#closed].map((link) => link.endSession()))
    this.#closed.clear()
    await this.backends.control.query(`
      set session_replication_role = replica; ${this.#emptyTables};
      insert into "${schema}".inbox_info (created_at) values (0)`)
    this.#isSnapshotOld = true
  }

  open(process: VirtualProcess): { inbox: Store; queues: readonly Calls[] } {
    const network = new ProcessNetwork(process)
    this.#processes.push(network)
    const options = { ...storeSettings, schema, migrate: false, statementTimeout: 60_000 }
    const inbox = process.run(() => postgres(this.#server.url, options))
    return { inbox: Object.assign(inbox, { pollInterval }), queues: network.links }
  }

  /** A new connection of a simulated process. */
  connect(process: VirtualProcess): Link {
    const network = this.#processes.find((one) => one.process === process)
    return new Link(network ?? new ProcessNetwork(process), this)
  }

  async executed(link: Link, hasCommitted: boolean): Promise<void> {
    this.#isSnapshotOld ||= hasCommitted
    if (hasCommitted && this.#faults.isTrouble && this.random.chance(this.#faults.stallsAfterCommit)) {
      this.#stall(link.own, this.random.between(1000, 60_000)) // so that the answer is late
    }
    const links = [...this.#closed, ...this.#processes.flatMap((process) => process.links)]
    for (const notification of link.takeNotifications()) for (const one of links) one.notify(notification)
    for (const one of links) if (one !== link) await one.settle() // it may have waited for a lock of this session
  }

  closed(link: Link): void {
    this.#closed.add(link)
  }

  async snapshot(): Promise<Snapshot> {
    for (let turn = 0; turn < maxTurns; turn++) await setImmediate()
    await this.#tick()
    if (this.#isSnapshotOld) this.#snapshot = { deliveries: await this.#readDeliveries() }
    this.#isSnapshotOld = false
    return this.#snapshot
  }

  async pause(handler: string): Promise<void> {
    await this.backends.control.query(`insert into "${schema}".pauses values ($1) on conflict do nothing`, [handler])
  }

  async resume(handler: string): Promise<void> {
    await this.backends.control.query(`delete from "${schema}".pauses where handler = $1`, [handler])
  }

  async close(): Promise<void> {
    this.#restoreModules()
    await this.backends.close()
    await this.#server.stop()
  }

  /** Steps of the server and of the network. */
  async #tick(): Promise<void> {
    for (let fault = this.#faults.next(); fault; fault = this.#faults.next()) this.#cause(fault)
    for (const network of this.#processes) {
      const { process, links } = network
      if (process.hasEnded) for (const link of links.splice(0)) link.abandon()
      for (const link of [...links]) {
        await link.enforceTimeouts()
        // The messages of a suspended process still arrive.
        if (process.isSuspended && link.nextCalls.length > 0 && this.random.chance(0.1))
          await link.carryOut(undefined, 'succeeds', 0)
      }
    }
    this.#processes = this.#processes.filter(({ process }) => !process.hasEnded)
    for (const link of [...this.#closed]) {
      await link.enforceTimeouts()
      if (this.random.chance(0.3) && (await link.closeSession())) this.#closed.delete(link)
    }
  }

  #cause({ kind, duration }: NetworkFault): void {
    if (this.#processes.length === 0) return
    const network = this.random.pick(this.#processes)
    const { process, links } = network
    if (kind === 'break') {
      this.#schedule.note(`all connections of ${process.name} break`, 'all connections of a process break')
      for (const link of links) link.break()
    } else this.#stall(network, duration)
  }

  #stall(network: ProcessNetwork, duration: number): void {
    this.#schedule.note(`the network of ${network.process.name} stalls for ${duration} ms`, 'network stalls')
    network.stalledUntil = this.now() + duration
  }

  async #readDeliveries(): Promise<DeliveryRecord[]> {
    const { rows } = await this.backends.control.query<Row>(selectDeliveries)
    return rows.map(({ id, tasks, matched, ...delivery }) => {
      return { ...delivery, id: Number(id), isMatched: matched, tasks: tasks.map(toTaskRecord) }
    })
  }
}

type Row = Pick<DeliveryRecord, 'guid' | 'state'> & { id: string; matched: boolean; tasks: TaskRow[] }

interface TaskRow {
  handler: string
  state: TaskState
  order_key: string | null
  next_at: number | null
  attempts_used: number
  worker: number | null
  claimed_ahead: boolean
  /** The outcomes of its attempts that were not released, in their order. */
  outcomes: readonly string[] | null
}

function toTaskRecord({ handler, state, ...row }: TaskRow): TaskRecord {
  const outcomes = row.outcomes ?? []
  const isCutOff = (outcome: string) => outcome === 'cut off'
  const isSuspect = state === 'running' && outcomes.length > 1 && outcomes.slice(-2).every(isCutOff)
  return {
    ...{ handler, state, orderKey: row.order_key ?? undefined, nextAt: row.next_at ?? undefined },
    ...{ attemptsUsed: row.attempts_used, worker: row.worker ?? undefined, isAhead: row.claimed_ahead },
    ...{ isSuspect, cutOffs: outcomes.filter(isCutOff).length },
  }
}

/** Lets simulated processes connect by links, wait by their timers, and choose random ids by the seed. */
function replaceModules(store: PostgresStore): () => void {
  const { Client, Pool } = pg
  const [{ randomUUID }, { setTimeout }] = [crypto, timers]
  class LinkedClient extends Client {
    constructor(config: pg.ClientConfig) {
      const process = currentProcess()
      super(process ? { ...config, stream: () => store.connect(process) as never } : config)
    }
  }
  class LinkedPool extends Pool {
    constructor(config: pg.PoolConfig) {
      super({ ...config, Client: LinkedClient as never })
    }
  }
  Object.assign(pg, { Client: LinkedClient, Pool: LinkedPool })
  Object.assign(timers, {
    setTimeout: (ms: number, value: unknown) =>
      currentProcess() ? new Promise((done) => globalThis.setTimeout(done, ms, value)) : setTimeout(ms, value),
  })
  Object.assign(crypto, { randomUUID: () => (currentProcess() ? uuidOf(store.random) : randomUUID()) })
  syncBuiltinESMExports()
  return () => {
    Object.assign(pg, { Client, Pool })
    Object.assign(timers, { setTimeout })
    Object.assign(crypto, { randomUUID })
    syncBuiltinESMExports()
  }
}

function uuidOf(random: Random): string {
  const hex = (digits: number) =>
    Math.floor(random.next() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`
}

const selectNow = "select to_timestamp(current_setting('simulation.now')::float8 / 1000)"

/**
 * The time of the database, its random ids, and the time limits of its locks, which the simulation enforces. They come
 * before those of PostgreSQL in the search path of the processes.
 */
const createReplacements = `
  create schema ${replacements};
  create sequence ${replacements}.ids;
  create function ${replacements}.now() returns timestamptz language sql stable as $$ ${selectNow} $$;
  create function ${replacements}.gen_random_uuid() returns uuid language sql volatile
    as $$ select md5(nextval('${replacements}.ids')::text)::uuid $$;
  create function ${replacements}.set_config(name text, value text, local boolean) returns text language sql volatile
    as $$ select value $$`

const selectTables = `
  select case relkind when 'S' then format('select setval(%L, 1, false)', oid::regclass)
                      else format('delete from %s', oid::regclass) end as statement
  from pg_class
  where relnamespace in (select oid from pg_namespace where nspname in ($1, '${replacements}'))
    and (relkind = 'S' or relkind = 'r' and relname <> 'schema_migrations')`

const selectDeliveries = {
  name: 'deliveries',
  text: `
    select id, guid, state, matched, coalesce((
      select json_agg(task) from (
        select handler, state, order_key, next_at, attempts_used, worker, claimed_ahead, (
          select json_agg(outcome order by number) from "${schema}".attempts
          where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler and outcome <> 'released'
        ) as outcomes
        from "${schema}".tasks where delivery_id = id) as task), '[]'::json) as tasks
    from "${schema}".deliveries order by id`,
}
