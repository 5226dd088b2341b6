import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from 'hookserver/sqlite'
import { recordGoal } from '../goals.ts'
import { startContestant } from '../process.ts'
import { digits } from '../table.ts'
import { type Rounds, throughput } from '../throughput.ts'
import { fillFile } from './filled-file.ts'
import type { Heap } from './memory.ts'
import { pageTimes, showPages } from './pages.ts'

const stored = 1_000_000

/** Prints the costs of the SQLite inbox. */
export async function reportInbox(options: Rounds): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  try {
    await reportFilled(join(folder, 'filled.db'), options)
    await reportMemory()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function reportFilled(file: string, options: Rounds): Promise<void> {
  await fillFile(file, stored)
  const { open, pages } = await pageTimes(() => sqlite(file))
  const size = (statSync(file).size / 2 ** 30).toFixed(2)
  console.log(
    `\n${stored.toLocaleString('en')} deliveries stored, ${size} GiB, opened in ${open.toFixed(0)} ms; pages of 50`,
  )
  console.log(showPages(pages))

  const name = 'hookserver/node, SQLite'
  const starts = { empty: () => startContestant(name), filled: () => startContestant(name, { target: file }) }
  const [results] = await throughput(starts, { ...options, connections: [32] })
  const filled = results?.get('filled')
  const ratio = filled?.ratioTo(results?.get('empty'))
  console.log(
    `\nAnswers with these deliveries stored: ${digits(filled?.of('rate'), 0)}/s, × ${digits(ratio, 2)} of an empty inbox`,
  )
  recordGoal('filled', ratio)
}

/** @param args The argument of the process: the URL of its database, or none. */
export async function reportMemory(args: string[] = []): Promise<void> {
  const { early, late, handled } = await inChild<Heap>('./memory.ts', { args, execArgv: ['--expose-gc'] })
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  console.log(
    `\nHeap and buffers after ${handled.toLocaleString('en')} deliveries: ${mib(late)} MiB, × ${(late / early).toFixed(2)} of the ${mib(early)} MiB after a tenth of them`,
  )
}

/** Runs a program in a child process. @returns the result that the program sends. */
async function inChild<Result>(file: string, given: { args?: string[]; execArgv?: string[] }): Promise<Result> {
  const { args = [], ...options } = given
  const child = fork(new URL(file, import.meta.url), args, options)
  const [result] = (await once(child, 'message')) as [Result]
  await once(child, 'exit')
  return result
}
