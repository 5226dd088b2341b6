/** A contestant in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Served } from '../scripts/served.ts'
import { type Name, services } from './contestants.ts'
import { bench } from './delivery.ts'
import { settingsOf } from './service/with-served.ts'

export interface Usage {
  /** CPU seconds, user and system. */
  cpu: number
  /** The most bytes that were resident. */
  peak: number
}

export interface Contestant {
  url: string
  usage(): Promise<Usage>
  stop(): Promise<void>
}

export const startContestant = (name: Name): Promise<Contestant> =>
  name in services ? startService(services[name as keyof typeof services]) : startServer(name)

async function startServer(name: Name): Promise<Contestant> {
  const child = fork(new URL('./serve.ts', import.meta.url), [name])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const stop = async () => {
    child.disconnect()
    await once(child, 'exit')
  }
  return { url: `http://127.0.0.1:${port}${bench.path}`, usage: () => usageOf(child), stop }
}

async function startService(settings: readonly string[]): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  const served = await Served.start(folder, {
    ...settingsOf(settings),
    preload: ['unique-guids.ts', 'usage.ts'].map((file) => join(import.meta.dirname, file)),
  })
  const stop = async () => {
    await served.stop()
    rmSync(folder, { recursive: true })
  }
  return { url: served.url, usage: () => usageOf(served.child), stop }
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  child.send('usage')
  const [usage] = (await once(child, 'message')) as [Usage]
  return usage
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
