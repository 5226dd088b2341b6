import { expect, test } from 'vitest'
import { seedOf } from '../campaign/seed.ts'
import { runCampaign } from './campaign.ts'
import { kinds } from './faults.ts'
import { timeLimits } from './time-limits.ts'

// The short form of `npm run test:chaos`: each fault once. `backlog/backlog.campaign.ts` has the ordered backlog.

test('loses no acknowledged delivery when processes, connections or PostgreSQL fail', {
  timeout: 600_000,
}, async () => {
  const report = await runCampaign({
    seed: seedOf('chaos', 4),
    seconds: 1,
    heartbeat: 600,
    longest: 2000,
    connections: 6,
    limits: timeLimits(4),
  })
  expect(report).toMatchObject({ lost: [], wrong: [] })
  expect(Object.keys(report.faults).sort()).toEqual(Object.keys(kinds).sort())
  expect(report.verdict?.stored).toBe(report.acked)
  expect(report.acked).toBeGreaterThan(0)
  expect(report.rejected).toBeGreaterThan(0) // while the database was unavailable
  expect(report.verdict?.expired).toBeGreaterThan(0)
})
