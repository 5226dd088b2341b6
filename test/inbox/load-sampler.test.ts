import { describe, expect, test, vi } from 'vitest'
import type { HandlerLoad } from '../../src/inbox/handler-loads.ts'
import { LoadSampler } from '../../src/inbox/load-sampler.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'

const load: HandlerLoad = { handler: 'deploy', waiting: 2, waitingSince: 1000, running: 1 }

function createSampler(handlerLoads: () => Promise<HandlerLoad[]> = async () => [load]) {
  const sampled = vi.fn()
  return { sampler: new LoadSampler({ handlerLoads }, { sampled }), sampled }
}

describe('the samples of the load', () => {
  stopTheClock('setTimeout', 'clearTimeout', 'Date')

  test('are taken every 30 seconds', async () => {
    const { sampler, sampled } = createSampler()
    sampler.start()
    sampler.start()
    for (const times of [1, 2]) {
      pass(29_999)
      await turnOfTheLoop()
      expect(sampled).toHaveBeenCalledTimes(times - 1)
      pass(1)
      await turnOfTheLoop()
      expect(sampled).toHaveBeenCalledTimes(times)
    }
    expect(sampled).toHaveBeenCalledWith([load])
  })

  test('go on after an error of the inbox, and end with the inbox', async () => {
    const handlerLoads = vi.fn(() => Promise.reject(new Error('down')))
    const { sampler, sampled } = createSampler(handlerLoads)
    sampler.start()
    for (let times = 0; times < 2; times++) {
      pass(30_000)
      await turnOfTheLoop()
    }
    expect(handlerLoads).toHaveBeenCalledTimes(2)
    sampler.stop()
    pass(60_000)
    await turnOfTheLoop()
    expect(handlerLoads).toHaveBeenCalledTimes(2)
    expect(sampled).not.toHaveBeenCalled()
  })
})
