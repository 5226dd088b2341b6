import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'

/** As many as there can be at a time, our own included. */
const mostConnections = 80

const ours = "application_name like 'hookserver %'"

/**
 * A PostgreSQL server that faults can act on. Another client holds a transaction open that has written, so that
 * deleted rows cannot be vacuumed meanwhile.
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
    const server = await startPostgres(`max_connections=${mostConnections}`, ...flags)
    const database = new Database(server)
    await database.pool.query('create table pins (at timestamptz)')
    await database.#leaveOpen()
    return database
  }

  get url(): string {
    return this.#server.url
  }

  /** Whether the transaction is still open. */
  get pinned(): boolean {
    return this.#pin !== undefined
  }

  /** @returns once it is gone. */
  async crash(): Promise<void> {
    await this.#server.crash()
  }

  async comeBack(): Promise<void> {
    await this.#server.start()
    await this.#leaveOpen()
  }

  /** Ends every connection of the inbox. @returns how many. */
  async terminate(): Promise<number> {
    const { rowCount } = await this.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`)
    return rowCount ?? 0
  }

  /** Takes every connection that there can be, beside its own two. @returns what gives them back. */
  async exhaust(): Promise<() => Promise<void>> {
    const taken: pg.Client[] = []
    await this.terminate() // for which our own must be there
    while (taken.length < mostConnections - 2) if (!(await this.#take(taken))) await this.terminate()
    return async () => void (await Promise.all(taken.map((client) => client.end().catch(() => undefined))))
  }

  /** Has connections of the inbox stand still, as those of a network do that loses everything. */
  async freeze(chosen: () => boolean): Promise<number> {
    const { rows } = await this.pool.query<{ pid: number }>(`select pid from pg_stat_activity where ${ours}`)
    for (const { pid } of rows) if (chosen() && signal(pid, 'SIGSTOP')) this.#frozen.add(pid)
    return this.#frozen.size
  }

  /** Suspends the server as a whole: no process of it does anything until `thaw`. Linux only. */
  async suspend(): Promise<void> {
    const { rows } = await this.pool.query<{ pid: number }>('select pg_backend_pid() as pid')
    const server = parentOf((rows[0] as { pid: number }).pid)
    const children = readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && parentOf(pid) === server)
    for (const pid of [server, ...children]) if (pid > 0 && signal(pid, 'SIGSTOP')) this.#frozen.add(pid)
  }

  /** Deletes jobs of pg-boss, as an operator may by mistake. @param share Of all jobs that wait. @returns how many. */
  async deleteJobs(share: number): Promise<number> {
    const { rowCount } = await this.pool.query(deleteJobs, [share])
    return rowCount ?? 0
  }

  /** Locks the oldest deliveries that no worker has matched, as an operator does. @returns what unlocks them, if there are any. */
  async lockUnmatched(): Promise<(() => Promise<void>) | undefined> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'operator' })
    await client.connect()
    await client.query('begin')
    const { rowCount } = await client.query(lockUnmatched)
    if (rowCount) return () => client.end()
    await client.end()
    return undefined
  }

  /** Has no inbox any more. Nothing may be connected to one. */
  async reset(): Promise<void> {
    await this.pool.query('drop schema if exists hookserver, hookserver_jobs cascade')
  }

  thaw(): void {
    for (const pid of this.#frozen) signal(pid, 'SIGCONT')
    this.#frozen.clear()
  }

  /** Leaves nothing behind. */
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

  /** @returns whether there was one to be had. */
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

const deleteJobs = `delete from hookserver_jobs.job where name not like '\\_\\_pgboss%' and random() < $1`

/** @returns 0 if there is no such process. */
function parentOf(pid: number): number {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) as string
    return Number(afterName.split(' ')[1])
  } catch {
    return 0
  }
}

/** @returns whether there is such a process. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
