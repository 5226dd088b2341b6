import type { Served } from '../served.ts'
import { countHandled, readAll, untilAllEnded } from './outcome.ts'
import { printDead, printTable } from './report.ts'
import { sendAll } from './sending.ts'
import { type Stage, secret, startServer } from './stage.ts'

/**
 * Sends every sample to one server, which runs handlers after the response. Some handlers fail on purpose. Reads the
 * results from the admin API.
 * @returns The failures of the demo.
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
  const states = await untilAllEnded(served, signal)
  const details = await readAll(served)
  const handled = countHandled('count', details)
  printTable(details)
  printDead(details)

  if (states.dead !== 1) failures.push(`${states.dead} deliveries are dead instead of 1`)
  if (handled !== stored) failures.push(`${handled} of ${stored} deliveries were handled`)
  const counts = Object.entries(states).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []))
  console.log(`\n${stored} deliveries stored, ${handled} handled: ${counts.join(', ')}; ${failures.length} failures`)
  return failures
}
