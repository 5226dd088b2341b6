import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from 'hookserver/sqlite'
import { reportAcks } from '../acks.ts'
import type { Name } from '../contestants.ts'
import { median } from '../process.ts'
import { table } from '../table.ts'
import { throughput } from '../throughput.ts'
import { fillFile } from './filled-file.ts'
import type { Handling } from './handling.ts'
import type { Heap } from './memory.ts'
import { pageTimes, showPages } from './pages.ts'

const stored = 1_000_000

/** Prints the costs of the SQLite inbox. */
export async function reportInbox(options: { rounds: number; seconds: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    console.log('\nStored, committed and fsynced before the answer: the same push over 32 connections')
    await reportAcks(['hookserver/node, SQLite, handling too'], options)
    await reportHandling('SQLite')
    await reportFilled(join(folder, 'filled.db'), options)
    await reportMemory()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param args What each of the processes is given: where its inbox is. */
export async function reportHandling(store: string, args = async (): Promise<string[]> => []): Promise<void> {
  console.log('\nHandlers that do nothing, attempts recorded; medians of five processes')
  const runs: Handling[] = []
  for (let round = 0; round < 5; round++) runs.push(await inChild<Handling>('./handling.ts', { args: await args() }))
  const rank = (share: number) =>
    median(runs.map(({ pickup }) => pickup.toSorted((a, b) => a - b)[Math.floor(share * pickup.length)] as number))
  const rate = median(runs.map((run) => run.rate))
  console.log(
    table(
      ['store', 'handled/s', 'pickup p50 ms', 'p99 ms'],
      [[store, rate.toFixed(0), rank(0.5).toFixed(1), rank(0.99).toFixed(1)]],
    ),
  )
}

async function reportFilled(file: string, options: { rounds: number; seconds: number }): Promise<void> {
  await fillFile(file, stored)
  const { open, pages } = await pageTimes(() => sqlite(file))
  const size = (statSync(file).size / 2 ** 30).toFixed(2)
  console.log(
    `\n${stored.toLocaleString('en')} deliveries stored, ${size} GiB, opened in ${open.toFixed(0)} ms; pages of 50`,
  )
  console.log(showPages(pages))

  process.env.HOOKSERVER_BENCH_FILLED = file
  const names: Name[] = ['hookserver/node, SQLite', 'hookserver/node, SQLite, filled']
  const [empty, filled] = [...(await throughput(names, options)).values()]
  if (!empty || !filled) throw new Error('Nothing was measured')
  console.log(
    `\nAnswers beside them: ${filled.rate.toFixed(0)}/s, × ${filled.ratioTo(empty).toFixed(2)} of an empty inbox`,
  )
}

/** @param args The arguments of the process: the path of its inbox. */
export async function reportMemory(args: string[] = []): Promise<void> {
  const { early, late, handled } = await inChild<Heap>('./memory.ts', { args, execArgv: ['--expose-gc'] })
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  console.log(
    `\nHeap and buffers after ${handled.toLocaleString('en')} deliveries: ${mib(late)} MiB, × ${(late / early).toFixed(2)} of the ${mib(early)} MiB after a tenth of them`,
  )
}

/** The result that a program sends. */
async function inChild<Result>(file: string, given: { args?: string[]; execArgv?: string[] }): Promise<Result> {
  const { args = [], ...options } = given
  const child = fork(new URL(file, import.meta.url), args, options)
  const [result] = (await once(child, 'message')) as [Result]
  await once(child, 'exit')
  return result
}
