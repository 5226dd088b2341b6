import { expect, test } from 'vitest'
import { seedOf } from '../campaign/seed.ts'
import { runCampaign } from './campaign.ts'
import type { StoreName } from './store.ts'

/** The short form of `npm run test:deploy`. */
test.each<StoreName>(['sqlite', 'postgres'])(
  'two versions of a module share an inbox in %s',
  {
    timeout: 600_000,
  },
  async (store) => {
    const report = await runCampaign({ seed: seedOf(`deploy, ${store}`, 5), store, seconds: 4 })
    expect(report).toMatchObject({ lost: [], wrong: [] })
    expect(report.verdict?.stored).toBe(report.acked)
    expect(Object.values(report.replaced)).not.toContain(0)
    expect(Object.values(report.attempts)).not.toContain(0)
    expect(report.retried).toBeGreaterThan(0)
  },
)
