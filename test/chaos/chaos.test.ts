import { expect, test } from 'vitest'
import { runCampaign } from './campaign.ts'
import { kinds } from './faults.ts'

// The short form of `npm run test:chaos`: each fault once. That of the ordered backlog is in `backlog/backlog.test.ts`.

test('nothing that was acked is lost by what happens to machines and to PostgreSQL', { timeout: 180_000 }, async () => {
  const report = await runCampaign({ seed: 4, seconds: 1, heartbeat: 600, longest: 2000 })
  expect(report).toMatchObject({ lost: [], wrong: [] })
  expect(Object.keys(report.faults).sort()).toEqual(Object.keys(kinds).sort())
  expect(report.verdict?.stored).toBe(report.acked)
  expect(report.acked).toBeGreaterThan(0)
  expect(report.rejected).toBeGreaterThan(0) // while the database was away
  expect(report.verdict?.expired).toBeGreaterThan(0)
})
