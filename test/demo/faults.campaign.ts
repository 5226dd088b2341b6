/** `npm run demo` with killed servers must succeed, and leave no files and no processes behind. */
import { expect, test } from 'vitest'
import { runDemo } from './run-demo.ts'

const outage = ['--outage']

test('recovers and handles every delivery that GitHub sends while the server is down', async () => {
  const { code, output, url, left } = await runDemo({ args: outage })
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
  const { code, output, url, left } = await runDemo({ args: outage, stopAt: 'The server runs again' })
  expect([code, left]).toEqual([130, []])
  expect(output).not.toContain('deliveries sent')
  await expect(fetch(url)).rejects.toThrow()
})

const postgres = ['--postgres']

test('lets the other worker reclaim the tasks of a killed worker', { timeout: 180_000 }, async () => {
  const { code, output, left } = await runDemo({ args: postgres })
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
  const { code, output, url, left } = await runDemo({ args: postgres, stopAt: 'listens at' })
  expect([code, left]).toEqual([130, []])
  expect(output).not.toContain('deliveries handled')
  await expect(fetch(url)).rejects.toThrow()
})
