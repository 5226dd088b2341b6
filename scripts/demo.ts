/**
 * `npm run demo`: starts `hookserver serve` with the handlers of demo/hooks.ts, and sends it every sample payload,
 * signed, from an address that a local GitHub lists as its own. `--outage` kills the server halfway, and restarts it to
 * recover the missed deliveries. `--postgres` starts two receivers and two workers instead, with the handler of
 * demo/machine-hooks.ts, and kills one of the workers. Exits with 1 if a delivery does not reach its expected state.
 * Always deletes its files and ends its processes.
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
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal]
    interrupted.abort()
  })
}

const folder = mkdtempSync(join(tmpdir(), 'hookserver-demo-'))
const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'], limits: { points: 100_000 } })
try {
  const failures = await show({ folder, github, signal: interrupted.signal })
  for (const failure of failures) console.error(`FAILED  ${failure}`)
  if (failures.length > 0) process.exitCode = 1
} catch (error) {
  if (!interrupted.signal.aborted) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
} finally {
  await github.close()
  rmSync(folder, { recursive: true })
}
