import { expect, test } from 'vitest'
import { seedOf } from '../../campaign/seed.ts'
import { timeLimits } from '../time-limits.ts'
import { runBacklog } from './campaign.ts'
import { backlogKinds } from './faults.ts'
import { measureThroughput } from './throughput.ts'

// A short form of the ordered backlog of `npm run test:chaos`: injects each fault once.

test('workers handle an ordered backlog in order and without long pauses', { timeout: 600_000 }, async () => {
  const report = await runBacklog({
    seed: seedOf('backlog', 2),
    seconds: 1,
    size: 2000,
    heartbeat: 1000,
    longest: 1500,
    limits: timeLimits(4),
  })
  expect(report).toMatchObject({ lost: [], wrong: [] })
  expect(Object.keys(report.faults).sort()).toEqual(Object.keys(backlogKinds).sort())
  expect(report.stored).toBeGreaterThanOrEqual(2000)
  expect(report.retried).toBeGreaterThan(0)
  expect(report.verdict?.expired).toBeGreaterThan(0)
})

test('one worker, and then two workers, handle the same ordered backlog', { timeout: 120_000 }, async () => {
  const report = await measureThroughput({ seed: seedOf('throughput', 3), size: 500, repositories: 20, runs: [1, 2] })
  expect(report).toMatchObject({ lost: [], wrong: [] })
  expect(report.measured.map(({ workers }) => workers)).toEqual([1, 2])
})
