import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Served } from '../scripts/served.ts'
import { definitionOf, type Name } from './contestants.ts'
import { createDatabase, type Database } from './databases.ts'
import { bench } from './delivery.ts'
import type { Phase } from './memory-samples.ts'
import { settingsOf } from './service/with-served.ts'

export interface Usage {
  /** CPU seconds of the process so far, user and system. */
  cpu: number
  /** The maximum resident memory of the process so far, in bytes. */
  peak: number
  /** CPU seconds of the database's own processes so far, if it has any. */
  databaseCpu?: number | undefined
}

/** A server that can be measured under load. */
export interface MeasuredServer {
  url: string
  usage(): Promise<Omit<Usage, 'peak'>>
  stop(): Promise<void>
}

/** A benchmark server in a process of its own. */
export interface Contestant extends MeasuredServer {
  usage(): Promise<Usage>
  /** Its memory by phase, if it was started with `memory-samples.ts`. */
  phases(): Promise<Phase[]>
}

export interface StartOptions {
  /**
   * The file or the URL of its database. Default: a server that stores deliveries gets an empty database, which is
   * removed when the server stops.
   */
  target?: string
  /** Command-line flags for Node.js. */
  nodeArgs?: readonly string[]
}

export async function startContestant(name: Name, { target, nodeArgs = [] }: StartOptions = {}): Promise<Contestant> {
  const { args, store, runtime } = definitionOf(name)
  if (runtime) throw new Error(`Only the part "web" starts "${name}"`)
  if (args) return startService(args, nodeArgs)
  const database = store && target === undefined ? await createDatabase(store) : undefined
  const { url, child } = await startServer(name, target ?? database?.target, nodeArgs)
  const stop = async () => {
    child.disconnect()
    await once(child, 'exit')
    await database?.remove()
  }
  return { url, usage: () => usageOf(child, database), phases: () => ask(child, 'phases'), stop }
}

async function startServer(name: Name, target: string | undefined, nodeArgs: readonly string[]) {
  const args = [name, ...(target === undefined ? [] : [target])]
  const child = fork(new URL('./serve.ts', import.meta.url), args, { execArgv: [...nodeArgs] })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} ended before it listened`)
  })
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }]
  ended.catch(() => {})
  return { url: `http://127.0.0.1:${port}${bench.path}`, child }
}

async function startService(args: readonly string[], nodeArgs: readonly string[]): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  const settings = settingsOf(args)
  const served = await Served.start(folder, {
    ...settings,
    env: { ...settings.env, NODE_OPTIONS: nodeArgs.join(' ') },
    preload: ['unique-guids.ts', 'usage.ts'].map((file) => join(import.meta.dirname, file)),
  })
  const stop = async () => {
    await served.stop()
    rmSync(folder, { recursive: true })
  }
  return { url: served.url, usage: () => usageOf(served.child), phases: () => ask(served.child, 'phases'), stop }
}

async function usageOf(child: ChildProcess, database?: Database): Promise<Usage> {
  return { ...(await ask<Usage>(child, 'usage')), databaseCpu: database?.cpu() }
}

async function ask<Answer>(child: ChildProcess, question: string): Promise<Answer> {
  child.send(question)
  const [answer] = (await once(child, 'message')) as [Answer]
  return answer
}
