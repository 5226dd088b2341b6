import { expect, test } from 'vitest'
import { seedOf } from '../campaign/seed.ts'
import { runCampaign, total } from './campaign.ts'
import { runPoison } from './poison.ts'
import { runStuck } from './stuck.ts'
import { stuckAttempts } from './stuck-handlers.ts'

/** The short form of `npm run test:kill`: each kind of kill at least once. */
test.each([
  ['an application', false],
  ['hookserver serve', true],
])('kills of %s lose no acknowledged delivery', { timeout: 600_000 }, async (_what, served) => {
  const report = await runCampaign({ kills: 12, seed: seedOf('kills', 2), served })
  expect(report).toMatchObject({ lost: [], wrong: [], rejected: 0 })
  expect(total(report.kills)).toBeGreaterThanOrEqual(12)
  expect(Object.values(report.kills)).not.toContain(0)
  expect(report.acked).toBe(report.stored)
  expect(report.acked).toBeGreaterThan(0)
  expect(report.handled).toBeGreaterThan(report.stored)
})

test('a delivery whose body ends hookserver serve three times is dead, and other deliveries are handled', {
  timeout: 600_000,
}, async () => {
  const report = await runPoison({
    seed: seedOf('poison', 3),
    served: true,
    poisons: ['an index just below the sparse limit'],
  })
  expect(report).toEqual({ deaths: 3, lost: [], wrong: [] })
})

test('handlers that never settle do not block other handlers', { timeout: 600_000 }, async () => {
  const count = 5
  const report = await runStuck({
    seed: seedOf('stuck handlers', 4),
    served: false,
    count,
    size: 12 * 2 ** 20,
    timeout: 1000,
  })
  expect(report).toMatchObject({ attempts: count * stuckAttempts, lost: [], wrong: [] })
})
