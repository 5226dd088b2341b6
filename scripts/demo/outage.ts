import type { InboxOverview } from 'hookserver'
import { type LocalGitHub, type LocalHook, samples } from 'hookserver/testing'
import type { Served } from '../served.ts'
import { printResults, reportTotals, toResults } from './outage-report.ts'
import { readAll } from './outcome.ts'
import { progress } from './progress.ts'
import { type Stage, secret, startServer } from './stage.ts'

/** The part of `GET /api/v1/recovery` that the demo prints. */
interface Recovery {
  counts: InboxOverview['missedDeliveries']
  /** Missing until the first recovery sweep has ended. */
  last?: { at: number }
}

/** The number of deliveries that GitHub sends concurrently. More than one, so that the kill interrupts some. */
const concurrency = 8
/** Milliseconds between two requests for the status. */
const interval = 50
/** Maximum milliseconds of the wait for a sweep and for the missed deliveries. */
const recoveryTimeout = 60_000

/**
 * Kills the server after half of GitHub's deliveries. GitHub cannot deliver the rest. Then restarts the server, which
 * requests the missed deliveries from GitHub.
 * @returns The failures of the demo.
 */
export async function showOutage(stage: Stage): Promise<string[]> {
  const { github, signal } = stage
  const hook = github.addHook({ organization: 'acme', url: 'http://127.0.0.1:1/', secret })
  const recover = ['--recover', `acme#${hook.id}`, '--recover-pace', '20ms']
  const env = { HOOKSERVER_GITHUB_TOKEN: github.addToken() }
  let served = await startServer(stage, recover, env)
  try {
    hook.url = served.url
    await untilRecovered(served, signal, 0) // so that the kill does not interrupt the first sweep
    await sendAll(github, hook, served, signal)
    const restartedAt = Date.now()
    served = await startServer(stage, [...recover, '--recover-every', '2s', '--port', new URL(hook.url).port], env)
    console.log(
      'The server runs again, on the same port and with the same database, and requests the missed deliveries',
    )
    const { counts } = await untilRecovered(served, signal, restartedAt)
    const results = toResults(github.deliveries(hook), await readAll(served))
    printResults(results)
    printCalls(github)
    const shown = Object.entries(counts).map(([state, count]) => `${count} ${state}`)
    console.log(`Missed deliveries in GET /api/v1/recovery: ${shown.join(', ')}`)
    return reportTotals(results)
  } finally {
    if (served.child.signalCode !== 'SIGKILL') await served.stop()
  }
}

/** Sends every sample, and kills the server after half of them. */
async function sendAll(github: LocalGitHub, hook: LocalHook, served: Served, signal: AbortSignal): Promise<void> {
  const deliveries = samples()
  const half = Math.floor(deliveries.length / 2)
  console.log(`hookserver listens at ${served.url}; GitHub sends it ${deliveries.length} signed deliveries`)
  const unsent = deliveries.entries()
  let killed: Promise<void> | undefined
  const send = async () => {
    for (const [index, { event, payload }] of unsent) {
      signal.throwIfAborted()
      progress(index + 1, deliveries.length, killed ? `${event}, no server` : event)
      if (index === half) killed = served.kill()
      await github.deliver(event, payload, { hooks: [hook] })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, send))
  await killed
  const failed = github.deliveries(hook).filter(({ status }) => status !== 'OK').length
  console.log(
    `After ${half} deliveries the server was killed. GitHub sent the rest, failed to deliver ${failed}, and does not retry`,
  )
}

/**
 * Waits until a sweep has ended after the time `since`, and the server has received and handled every missed delivery.
 * Returns after `recoveryTimeout` at the latest.
 */
async function untilRecovered(served: Served, signal: AbortSignal, since: number): Promise<Recovery> {
  const timeout = AbortSignal.timeout(recoveryTimeout)
  for (;;) {
    signal.throwIfAborted()
    const [{ states }, recovery] = [await served.get<InboxOverview>('/stats'), await served.get<Recovery>('/recovery')]
    const { counts, last } = recovery
    const [open, left] = [counts.missed + counts.requested, states.pending + states.running + states.retrying]
    const all = open + counts.received
    if (all > 0) progress(counts.received, all, left > 0 ? `received, ${left} to handle` : 'received')
    if (timeout.aborted || (last && last.at >= since && open + left === 0)) return recovery
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

function printCalls({ requests }: LocalGitHub): void {
  const count = (wanted: string, end: RegExp) =>
    requests.filter(({ method, path }) => method === wanted && end.test(path)).length
  const [lists, redeliveries] = [count('GET', /\/deliveries\?/), count('POST', /\/attempts$/)]
  console.log(
    `\nhookserver sent GitHub's API ${lists + redeliveries} requests: ${lists} for pages of the delivery log, ${redeliveries} for redeliveries`,
  )
}
