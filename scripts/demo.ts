/**
 * `npm run demo`: `hookserver serve` as a process of its own, with the handlers of demo/hooks.ts, and all sample payloads
 * sent to it over HTTP, signed as GitHub signs them and from addresses that a local GitHub lists. Each is stored before
 * it is answered; then handlers run, and some of them fail on purpose. What became of all is read from the admin API.
 * Ends with 1 if a delivery does not come to the end that it should, and leaves nothing behind, however it ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalGitHub } from 'hookserver/testing'
import { allEnded, handledBy, readAll } from './demo/outcome.ts'
import { printDead, printTable } from './demo/report.ts'
import { sendAll } from './demo/sending.ts'
import { Served } from './served.ts'

const secret = "It's a Secret to Everybody"
const told = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal]
    told.abort()
  })
}

const folder = mkdtempSync(join(tmpdir(), 'hookserver-demo-'))
const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
try {
  const args = [join(import.meta.dirname, 'demo', 'hooks.ts'), '--api-url', github.url]
  const served = await Served.start(folder, { args, env: { GITHUB_WEBHOOKS_KEY: secret } })
  try {
    await show(served, told.signal)
  } finally {
    await served.stop()
  }
} catch (error) {
  if (!told.signal.aborted) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
} finally {
  await github.close()
  rmSync(folder, { recursive: true })
}

async function show(served: Served, signal: AbortSignal): Promise<void> {
  const { stored, failures } = await sendAll(served.url, secret, signal)
  const states = await allEnded(served, signal)
  const details = await readAll(served)
  const handled = handledBy('count', details)
  printTable(details)
  printDead(details)

  if (states.dead !== 1) failures.push(`one delivery should have ended dead, and ${states.dead} have`)
  if (handled !== stored) failures.push(`${handled} of ${stored} deliveries were handled`)
  for (const failure of failures) console.error(`FAILED  ${failure}`)
  const counts = Object.entries(states).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []))
  console.log(`\n${stored} deliveries stored, ${handled} handled: ${counts.join(', ')}; ${failures.length} failures`)
  if (failures.length > 0) process.exitCode = 1
}
