import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'

/** The connections that the server allows, including the two that `Database` uses. */
const maxConnections = 80

const ours = "application_name like 'hookserver %'"

/**
 * A PostgreSQL server into which faults are injected. Another client has written a row in a transaction that it keeps
 * open, so that deleted rows cannot be vacuumed.
 */
export class Database {
  readonly pool: pg.Pool
  readonly #server: PostgresServer
  readonly #frozen = new Set<number>()
  #pin: pg.Client | undefined

  private constructor(server: PostgresServer) {
    this.#server = server
    this.pool = new pg.Pool({ connectionString: server.url, max: 1, idleTimeoutMillis: 0, application_name: 'judge' })
    this.pool.on('error', () => undefined)
    process.once('exit', () => this.thaw())
  }

  static async start(flags: readonly string[] = []): Promise<Database> {
    const server = await startPostgres(`max_connections=${maxConnections}`, ...flags)
    const database = new Database(server)
    await database.pool.query('create table pins (at timestamptz)')
    await database.#leaveOpen()
    return database
  }

  get url(): string {
    return this.#server.url
  }

  /** Whether the transaction of the other client is still open. */
  get pinned(): boolean {
    return this.#pin !== undefined
  }

  /** Shuts the server down without a checkpoint ("immediate shutdown"). @returns when it has ended. */
  async crash(): Promise<void> {
    await this.#server.crash()
  }

  async comeBack(): Promise<void> {
    await this.#server.start()
    await this.#leaveOpen()
  }

  /** Terminates every connection of the inbox. @returns their number. */
  async terminate(): Promise<number> {
    const { rowCount } = await this.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`)
    return rowCount ?? 0
  }

  /** Takes all connections except the two that this class uses. @returns a function that releases them. */
  async exhaust(): Promise<() => Promise<void>> {
    const taken: pg.Client[] = []
    await this.terminate() // frees connections
    while (taken.length < maxConnections - 2) if (!(await this.#take(taken))) await this.terminate()
    return async () => void (await Promise.all(taken.map((client) => client.end().catch(() => undefined))))
  }

  /**
   * Suspends connections of the inbox until `thaw`, as in a network that drops all packets.
   * @param chosen Whether to suspend the next connection. @returns the number of suspended connections.
   */
  async freeze(chosen: () => boolean): Promise<number> {
    const { rows } = await this.pool.query<{ pid: number }>(`select pid from pg_stat_activity where ${ours}`)
    for (const { pid } of rows) if (chosen() && signal(pid, 'SIGSTOP')) this.#frozen.add(pid)
    return this.#frozen.size
  }

  /** Suspends all processes of the server until `thaw`. Linux only. */
  async suspend(): Promise<void> {
    const { rows } = await this.pool.query<{ pid: number }>('select pg_backend_pid() as pid')
    const server = parentOf((rows[0] as { pid: number }).pid)
    const children = readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && parentOf(pid) === server)
    for (const pid of [server, ...children]) if (pid > 0 && signal(pid, 'SIGSTOP')) this.#frozen.add(pid)
  }

  /** Locks the oldest unmatched deliveries, if any, as an operator may. @returns a function that unlocks them. */
  async lockUnmatched(): Promise<(() => Promise<void>) | undefined> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'operator' })
    await client.connect()
    await client.query('begin')
    const { rowCount } = await client.query(lockUnmatched)
    if (rowCount) return () => client.end()
    await client.end()
    return undefined
  }

  /** Drops the inbox. No process may be connected to it. */
  async reset(): Promise<void> {
    await this.pool.query('drop schema if exists hookserver cascade')
  }

  thaw(): void {
    for (const pid of this.#frozen) signal(pid, 'SIGCONT')
    this.#frozen.clear()
  }

  /** Ends the server and all connections. */
  async stop(): Promise<void> {
    this.thaw()
    const pin = this.#pin
    this.#pin = undefined
    await pin?.end().catch(() => undefined)
    await this.pool.end()
    await this.#server.stop()
  }

  async #leaveOpen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'other' })
    client.on('error', () => {
      if (this.#pin === client) this.#pin = undefined
    })
    await client.connect()
    await client.query('begin')
    await client.query('insert into pins values (now())')
    this.#pin = client
  }

  /** @returns whether a connection was available. */
  async #take(taken: pg.Client[]): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'other' })
    client.on('error', () => undefined)
    try {
      await client.connect()
    } catch (error) {
      if ((error as { code?: string }).code === '53300') return false
      throw error
    }
    taken.push(client)
    return true
  }
}

const lockUnmatched = `
  select id from hookserver.deliveries where not matched order by id limit 10 for update skip locked`

/** @returns 0 if the process does not exist, or the system has no `/proc`. */
export function parentOf(pid: number): number {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) as string
    return Number(afterName.split(' ')[1])
  } catch {
    return 0
  }
}

/** @returns whether the process exists. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
