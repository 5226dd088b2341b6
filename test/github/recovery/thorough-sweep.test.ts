/** A thorough sweep, which an operator starts after other sweeps. */
import { describe, expect, test } from 'vitest'
import { lookbackByGitHub } from '../../../src/github/lookback.ts'
import { Scene } from '../recovery-scene.ts'

const hour = 3_600_000

/** A server that has run for an hour. Its webhook got these deliveries at the beginning, and a failed push just now. */
async function anHourLater(...deliveries: Parameters<Scene['github']['record']>[1]): Promise<Scene> {
  const scene = await Scene.open()
  await lookbackByGitHub(scene.inbox, scene.github.clock.now()) // compares the clocks when the server starts
  scene.github.record(scene.hook, deliveries)
  scene.github.clock.advance(hour)
  scene.github.record(scene.hook, [{ event: 'push', statusCode: 502 }])
  return scene
}

describe('a thorough sweep', () => {
  test('requests deliveries that earlier sweeps did not: of other events, and unrecorded ones', async () => {
    const scene = await anHourLater({ event: 'star.created', statusCode: 502 }, { event: 'push' })
    expect((await scene.recovery().sweep())?.reports).toMatchObject([
      { sent: 3, unhandled: 1, counts: { requested: 1, unrecorded: 1 } },
    ])
    await scene.github.idle()
    const recovery = scene.recovery({ includeOk: true, isHandled: () => true })
    expect((await recovery.sweep())?.reports).toMatchObject([
      { sent: 1, counts: { received: 1, unrecorded: 0, missed: 0 } },
    ])
    expect((await recovery.sweep({ thorough: true }))?.reports).toMatchObject([
      { sent: 3, unhandled: 0, counts: { requested: 2, received: 1, unrecorded: 0, missed: 0 } },
    ])
  })

  test('requests a delivery again at once if its redelivery failed', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await scene.github.deliver('push', {})
    const recovery = scene.recovery()
    for (let times = 0; times < 2; times++) {
      await recovery.sweep()
      await scene.github.idle()
    }
    await scene.startListening()
    expect((await recovery.sweep())?.reports).toMatchObject([{ counts: { missed: 1, requested: 0 } }])
    expect((await recovery.sweep({ thorough: true }))?.reports).toMatchObject([{ counts: { missed: 0, requested: 1 } }])
    await scene.github.idle()
    await scene.allHandled()
    expect([...scene.handled.values()]).toEqual([1])
  })
})

test('a delivery without a handler is unhandled, although GitHub shows it as delivered', async () => {
  const scene = await Scene.open()
  scene.github.record(scene.hook, [{ event: 'star.created' }])
  const swept = await scene.recovery({ includeOk: true }).sweep({ thorough: true })
  expect(swept?.reports).toMatchObject([{ unhandled: 1, counts: { unrecorded: 0, requested: 0 } }])
})
