/**
 * `npm run demo`: `hookserver serve` as a process of its own, with the handlers of demo/hooks.ts, and all sample payloads
 * sent to it over HTTP, signed as GitHub signs them and from addresses that a local GitHub lists. With `--outage` it is
 * killed half way, and fetches what it missed when it is back; with `--postgres` there are two that receive and two that
 * work, of which one is killed.
 * Ends with 1 if a delivery does not come to the end that it should, and leaves nothing behind, however it ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LocalGitHub } from 'hookserver/testing'
import { showHandling } from './demo/handling.ts'
import { showMachines } from './demo/machines.ts'
import { showOutage } from './demo/outage.ts'

const { outage, postgres } = parseArgs({
  options: { outage: { type: 'boolean', default: false }, postgres: { type: 'boolean', default: false } },
}).values
const show = postgres ? showMachines : outage ? showOutage : showHandling
const told = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal]
    told.abort()
  })
}

const folder = mkdtempSync(join(tmpdir(), 'hookserver-demo-'))
const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'], limits: { points: 100_000 } })
try {
  const failures = await show({ folder, github, signal: told.signal })
  for (const failure of failures) console.error(`FAILED  ${failure}`)
  if (failures.length > 0) process.exitCode = 1
} catch (error) {
  if (!told.signal.aborted) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
} finally {
  await github.close()
  rmSync(folder, { recursive: true })
}
