import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'hookserver'
import { Served } from '../../scripts/served.ts'
import { fillFile } from '../inbox/filled-file.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { lists, searches } from './pages.ts'
import { settingsOf } from './with-served.ts'

const hooks = join(import.meta.dirname, 'hooks.ts')
const stored = 1_000_000
const rounds = 15
const starts = 5

/** Prints how soon a server with a million stored deliveries is ready, and how long each request to its API takes. */
export async function reportFilled(folder: string): Promise<void> {
  const file = join(folder, 'hookserver.db')
  await fillFile(file, stored)
  const ready: number[] = []
  for (let start = 0; start < starts; start++) ready.push(await timeToReady(folder))
  console.log(
    `\nhookserver serve with ${stored.toLocaleString('en')} deliveries stored is ready after ${median(ready).toFixed(0)} ms, at worst ${Math.max(...ready).toFixed(0)} ms; the times of its API, ${rounds} requests each`,
  )
  const served = await Served.start(folder, settingsOf([hooks, '--role', 'receiver']))
  try {
    const rows: string[][] = []
    for (const path of [...lists, ...searches]) rows.push(await timesOf(served, path))
    console.log(table(['GET /api/v1', 'median ms', 'worst ms', 'found'], rows))
  } finally {
    await served.stop()
    rmSync(file)
  }
}

/** Milliseconds from the start of the process until it reports that it can store deliveries. */
async function timeToReady(folder: string): Promise<number> {
  const began = performance.now()
  const served = await Served.start(folder, settingsOf([hooks, '--role', 'receiver']))
  const { status } = await fetch(`${served.adminUrl}/readyz`)
  const took = performance.now() - began
  await served.stop()
  if (status !== 200) throw new Error(`The server listens, but is not ready: ${status}`)
  return took
}

async function timesOf(served: Served, path: string): Promise<string[]> {
  const times: number[] = []
  let found = ''
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const { deliveries } = await served.get<Partial<Page>>(path)
    times.push(performance.now() - start)
    found = String(deliveries?.length ?? '')
  }
  const shown = decodeURIComponent(path).replace(/(since|until)=\d+/, '$1=…')
  return [`\`${shown}\``, median(times).toFixed(1), Math.max(...times).toFixed(1), found]
}
