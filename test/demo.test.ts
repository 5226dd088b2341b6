/** `npm run demo` must succeed, and leave no files and no processes behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const program = fileURLToPath(new URL('../scripts/demo.ts', import.meta.url))

/** Runs the demo with its own temporary folder. @param stopAt The output after which the test presses Ctrl-C. */
async function demo({ args = [], stopAt }: { args?: readonly string[]; stopAt?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o711) // PostgreSQL, which does not run as root, must enter it
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, TMPDIR: folder } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stderr.on('data', (data) => (output += data))
  child.stdout.on('data', (data) => {
    const before = output
    output += data
    if (stopAt && output.includes(stopAt) && !before.includes(stopAt)) child.kill('SIGINT')
  })
  const [code] = await once(child, 'close')
  const [, url = ''] = /listens at (\S+);/.exec(output) ?? []
  return { code, output, url, left: readdirSync(folder) }
}

test('stores and handles every sample with hookserver serve, and leaves nothing behind', async () => {
  const { code, output, url, left } = await demo()
  expect(output).toContain('330 stored and answered 202 Accepted, 1 copy answered 200 Duplicate, 2 forgeries rejected')
  expect(output).toMatch(/^star +done +3 +12 +counted with attempt 3$/m)
  expect(output).toMatch(/^ {2}hook:deployment_review attempt 4: dead after \d+ ms Error: The cluster is gone$/m)
  expect(output).toMatch(/\n330 deliveries stored, 330 handled: 1 dead, 329 done; 0 failures\n$/)
  expect([code, left]).toEqual([0, []])
  await expect(fetch(url)).rejects.toThrow()
})

test('stops on Ctrl-C while it sends, and leaves nothing behind', async () => {
  const { code, output, url, left } = await demo({ stopAt: 'listens at' })
  expect([code, left]).toEqual([130, []])
  expect(output).not.toContain('deliveries stored')
  await expect(fetch(url)).rejects.toThrow()
})

const outage = ['--outage']

test('recovers and handles every delivery that GitHub sends while the server is down', async () => {
  const { code, output, url, left } = await demo({ args: outage })
  expect([code, output]).toEqual([0, output])
  const [, failed] =
    /\nAfter 164 deliveries the server was killed\. GitHub sent the rest, failed to deliver (\d+),/.exec(output) ?? []
  expect(Number(failed)).toBeGreaterThanOrEqual(165)
  const [, directly, recovered] =
    /\n329 deliveries sent, 329 handled: (\d+) received directly, (\d+) recovered;.* 0 failures\n$/.exec(output) ?? []
  expect(Number(directly) + Number(recovered)).toBe(329)
  expect(Number(recovered)).toBeGreaterThan(150)
  expect(output).toMatch(new RegExp(`^all +329 +${directly} +${recovered} +329$`, 'm'))
  expect(output).toMatch(new RegExp(`, ${recovered} for redeliveries$`, 'm'))
  expect(output).toContain(`0 missed, 0 requested, ${recovered} received, 0 expired, 0 unrecorded`)
  expect(left).toEqual([])
  await expect(fetch(url)).rejects.toThrow()
})

test('stops on Ctrl-C while it recovers, and leaves nothing behind', async () => {
  const { code, output, url, left } = await demo({ args: outage, stopAt: 'The server runs again' })
  expect([code, left]).toEqual([130, []])
  expect(output).not.toContain('deliveries sent')
  await expect(fetch(url)).rejects.toThrow()
})

const postgres = ['--postgres']

test('lets the other worker reclaim the tasks of a killed worker', { timeout: 180_000 }, async () => {
  const { code, output, left } = await demo({ args: postgres })
  expect([code, output]).toEqual([0, output])
  const count = (pattern: RegExp) => [...output.matchAll(pattern)].map(([, number]) => Number(number))
  expect(count(/^receiver-\d +(\d+) *$/gm)).toEqual([165, 164])
  const [killed = 0, other = 0] = count(/^worker-\d +\d+ +(\d+)$/gm)
  expect(killed).toBeGreaterThan(0)
  expect(other).toBeGreaterThan(329 / 2 - 1)
  const [claimed = 0] = count(/^worker-1 was killed while it handled (\d+) deliveries;/gm)
  expect(claimed).toBeGreaterThan(0)
  const [interrupted = 0] = count(
    /^329 of 329 deliveries handled; (\d+) were interrupted, and \d+ of these handled twice$/gm,
  )
  expect(interrupted).toBeGreaterThanOrEqual(claimed)
  expect(left).toEqual([])
})

test('stops on Ctrl-C with PostgreSQL, and leaves nothing behind', {
  timeout: 180_000,
}, async () => {
  const { code, output, url, left } = await demo({ args: postgres, stopAt: 'listens at' })
  expect([code, left]).toEqual([130, []])
  expect(output).not.toContain('deliveries handled')
  await expect(fetch(url)).rejects.toThrow()
})
