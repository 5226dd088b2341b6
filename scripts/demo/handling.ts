import type { Served } from '../served.ts'
import { allEnded, handledBy, readAll } from './outcome.ts'
import { printDead, printTable } from './report.ts'
import { sendAll } from './sending.ts'
import { type Stage, secret, startServer } from './stage.ts'

/**
 * Each delivery is stored before it is answered; then handlers run, and some of them fail on purpose. What became of all
 * is read from the admin API.
 * @returns Whatever did not go as it should.
 */
export async function showHandling(stage: Stage): Promise<string[]> {
  const served = await startServer(stage)
  try {
    return await show(served, stage.signal)
  } finally {
    await served.stop()
  }
}

async function show(served: Served, signal: AbortSignal): Promise<string[]> {
  const { stored, failures } = await sendAll(served.url, secret, signal)
  const states = await allEnded(served, signal)
  const details = await readAll(served)
  const handled = handledBy('count', details)
  printTable(details)
  printDead(details)

  if (states.dead !== 1) failures.push(`one delivery should have ended dead, and ${states.dead} have`)
  if (handled !== stored) failures.push(`${handled} of ${stored} deliveries were handled`)
  const counts = Object.entries(states).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []))
  console.log(`\n${stored} deliveries stored, ${handled} handled: ${counts.join(', ')}; ${failures.length} failures`)
  return failures
}
