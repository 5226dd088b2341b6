import type { Tally } from 'hookserver'
import { type LocalGitHub, type LocalHook, samples } from 'hookserver/testing'
import type { Served } from '../served.ts'
import { failuresOf, printFates, readFates } from './outage-report.ts'
import { readAll } from './outcome.ts'
import { progress } from './progress.ts'
import { type Stage, secret, startServer } from './stage.ts'

/** What `GET /api/recovery` shows, as far as it is shown here. */
interface Recovery {
  counts: Tally['gaps']
  /** Missing until somebody has looked for what did not come in. */
  last?: { at: number }
}

/** How many deliveries GitHub has on their way at a time: some are when the server is killed. */
const together = 8
/** Milliseconds between two looks, and until what has not come by then does not come any more. */
const [interval, patience] = [50, 60_000]

/**
 * Half way through what GitHub sends the server is killed; GitHub goes on, and fails. When the server is back, it asks
 * GitHub for what it missed.
 * @returns Whatever did not go as it should.
 */
export async function showOutage(stage: Stage): Promise<string[]> {
  const { github, signal } = stage
  const hook = github.addHook({ organization: 'acme', url: 'http://127.0.0.1:1/', secret })
  const recover = ['--recover', `acme#${hook.id}`, '--recover-pace', '20ms']
  const env = { HOOKSERVER_GITHUB_TOKEN: github.addToken() }
  let served = await startServer(stage, recover, env)
  try {
    hook.url = served.url
    await recovered(served, signal, 0) // with nothing, so that it is not killed while it looks
    await sendAll(github, hook, served, signal)
    const backAt = Date.now()
    served = await startServer(stage, [...recover, '--recover-every', '2s', '--port', new URL(hook.url).port], env)
    console.log('It is back, on the same port and with the same database, and asks GitHub for what it missed')
    const { counts } = await recovered(served, signal, backAt)
    const fates = readFates(github.deliveries(hook), await readAll(served))
    printFates(fates)
    printCalls(github)
    const shown = Object.entries(counts).map(([state, count]) => `${count} ${state}`)
    console.log(`GET /api/recovery shows of what did not come in: ${shown.join(', ')}`)
    return failuresOf(fates)
  } finally {
    if (served.child.signalCode !== 'SIGKILL') await served.stop()
  }
}

/** Sends every sample, and kills the server when half of them have been sent. */
async function sendAll(github: LocalGitHub, hook: LocalHook, served: Served, signal: AbortSignal): Promise<void> {
  const deliveries = samples()
  const half = Math.floor(deliveries.length / 2)
  console.log(`hookserver listens at ${served.url}; GitHub sends it ${deliveries.length} deliveries, each signed`)
  const retrying = deliveries.entries()
  let killed: Promise<void> | undefined
  const send = async () => {
    for (const [index, { event, payload }] of retrying) {
      signal.throwIfAborted()
      progress(index + 1, deliveries.length, killed ? `${event}, and nobody listens` : event)
      if (index === half) killed = served.kill()
      await github.deliver(event, payload, { hooks: [hook] })
    }
  }
  await Promise.all(Array.from({ length: together }, send))
  await killed
  const failed = github.deliveries(hook).filter(({ status }) => status !== 'OK').length
  console.log(
    `After ${half} it was killed. GitHub went on, failed to deliver ${failed}, and does not try again by itself`,
  )
}

/** Waits until a server has looked for what did not come in, and has handled all that there was. */
async function recovered(served: Served, signal: AbortSignal, since: number): Promise<Recovery> {
  const late = AbortSignal.timeout(patience)
  for (;;) {
    signal.throwIfAborted()
    const [{ states }, recovery] = [await served.get<Tally>('/stats'), await served.get<Recovery>('/recovery')]
    const { counts, last } = recovery
    const [open, left] = [counts.missed + counts.asked, states.pending + states.running + states.retrying]
    const all = open + counts.arrived
    if (all > 0) progress(counts.arrived, all, left > 0 ? `${left} are to be handled` : 'have come')
    if (late.aborted || (last && last.at >= since && open + left === 0)) return recovery
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

function printCalls({ requests }: LocalGitHub): void {
  const count = (wanted: string, end: RegExp) =>
    requests.filter(({ method, path }) => method === wanted && end.test(path)).length
  const [lists, again] = [count('GET', /\/deliveries\?/), count('POST', /\/attempts$/)]
  console.log(
    `\nGitHub's API was asked ${lists + again} times: ${lists} for pages of its log, ${again} to send a delivery again`,
  )
}
