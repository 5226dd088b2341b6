/**
 * Empty databases for benchmark servers. Redis and PostgreSQL flush each commit to disk before they confirm it. With a
 * SQLite file, the benchmark server does so.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Store } from './contestants.ts'
import { createPostgresDatabase } from './postgres/server.ts'
import { cpuOfTree } from './process-tree.ts'

export interface Database {
  /** The path of a file, a URL, or the path of a socket. */
  target: string
  /** CPU seconds of the database's own processes so far; undefined if it has none, or if the system has no `/proc`. */
  cpu(): number | undefined
  remove(): Promise<void>
}

export const createDatabase = (store: Store): Promise<Database> =>
  ({ SQLite: createFile, Redis: startRedis, PostgreSQL: createPostgresDatabase })[store]()

async function createFile(): Promise<Database> {
  const folder = newFolder()
  return { target: join(folder, 'inbox.db'), cpu: () => undefined, remove: async () => removeFolder(folder) }
}

/** Whether `redis-server` is on PATH. */
export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0

/** Redis appends each write to its file, and fsyncs the file before it replies. It makes no snapshots. */
const redisSettings = { appendonly: 'yes', appendfsync: 'always', save: '', port: '0' }

async function startRedis(): Promise<Database> {
  const folder = newFolder()
  const socket = join(folder, 'redis.sock')
  const settings = Object.entries({ ...redisSettings, dir: folder, unixsocket: socket })
  const args = settings.flatMap(([name, value]) => [`--${name}`, value])
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(server, 'exit')
  try {
    await untilReady(server.stdout)
    await checkDurability(socket)
  } catch (error) {
    server.kill()
    throw error
  }
  return {
    target: socket,
    cpu: () => cpuOfTree(server.pid as number),
    async remove() {
      server.kill()
      await exited
      removeFolder(folder)
    },
  }
}

/** Resolves when Redis accepts connections. @throws {Error} if Redis ends before. */
function untilReady(log: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    let lines = ''
    log.on('data', (chunk) => {
      lines += chunk
      if (lines.includes('Ready to accept connections')) resolve()
    })
    log.on('end', () => reject(new Error(`redis-server ended before it listened:\n${lines}`)))
  })
}

/** @throws {Error} if Redis may reply before its file is fsynced. */
async function checkDurability(path: string): Promise<void> {
  const socket = connect(path)
  socket.end('CONFIG GET appendfsync\r\nINFO persistence\r\nQUIT\r\n')
  const answer = await text(socket)
  const isDurable = /appendfsync\r\n\$\d+\r\nalways\r\n/.test(answer) && answer.includes('aof_enabled:1')
  if (!isDurable) throw new Error(`Redis does not fsync before it replies:\n${answer}`)
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })
