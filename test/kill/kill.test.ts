import { expect, test } from 'vitest'
import { runCampaign, total } from './campaign.ts'

/** The short form of `npm run test:kill`: a round of each kind. */
test.each([
  ['an application', false],
  ['hookserver serve', true],
])('nothing that was acked is lost by kills of %s', { timeout: 120_000 }, async (_what, served) => {
  const report = await runCampaign({ kills: 8, seed: 2, served })
  expect(report).toMatchObject({ lost: [], wrong: [], refused: 0 })
  expect(total(report.kills)).toBeGreaterThanOrEqual(8)
  expect(Object.values(report.kills)).not.toContain(0)
  expect(report.acked).toBe(report.stored)
  expect(report.acked).toBeGreaterThan(0)
  expect(report.handled).toBeGreaterThan(report.stored)
})
