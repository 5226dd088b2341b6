/** Clocks that differ: GitHub's, and that of this machine. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { PollingScene } from './polling-scene.ts'
import { allHandledOnce, failed } from './recorded-deliveries.ts'
import { Scene } from './recovery-scene.ts'

const minute = 60_000
const hour = 60 * minute

/** Milliseconds from GitHub's clock to the local clock. */
const differences = [
  ['two minutes ahead', 2 * minute],
  ['two minutes behind', -2 * minute],
  ['four days ahead', 96 * hour],
] as const

describe.each(differences)('a local clock that is %s', (_what, difference) => {
  test('hides no delivery from recovery', async () => {
    const scene = await Scene.open()
    scene.github.clock.set(Date.now() - difference)
    const guids = failed(scene, 3, { deliveredAt: scene.github.clock.now() })
    const swept = await scene.recovery().sweep()
    expect(swept?.reports).toMatchObject([{ sent: 3, counts: { requested: 3 } }])
    await allHandledOnce(scene, guids)
  })

  test('hides no delivery from polling', async () => {
    const scene = await PollingScene.open()
    scene.github.clock.set(Date.now() - difference)
    const guids = [await scene.push(), await scene.push()]
    await scene.poll().turn()
    await scene.allHandled()
    expect([...scene.handled.keys()]).toEqual(guids)
  })

  test('hides no delivery after it was corrected', async () => {
    const scene = await Scene.open()
    scene.github.clock.set(Date.now() - difference)
    await scene.recovery().sweep()
    const guids = failed(scene, 1, { deliveredAt: scene.github.clock.now() })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - difference })
    onTestFinished(() => void vi.useRealTimers())
    scene.github.clock.set(Date.now())
    const swept = await scene.recovery().sweep()
    expect(swept?.missedDeliveries.map(({ guid }) => guid)).toEqual(guids)
  })
})

test('an entry dated in the future hides no later delivery from recovery', async () => {
  const scene = await Scene.open()
  const [early] = failed(scene, 1, { deliveredAt: Date.now() + 50 * hour })
  await scene.recovery().sweep()
  const guids = failed(scene, 2)
  await scene.recovery().sweep()
  await allHandledOnce(scene, [early ?? '', ...guids])
})

describe.each([
  ['71 minutes', 71 * minute, 65 * minute],
  ['a day', 24 * hour, 24 * hour],
])('an attempt that appears in the log %s late', (_what, late, atMost) => {
  /** Adds attempts until the late one appears, and then for as long as it may take to find it. */
  async function passTime(scene: Pick<Scene, 'github' | 'hook'>, read: () => Promise<unknown>): Promise<string> {
    const sentAt = scene.github.clock.now()
    const step = late / 14
    let guid = ''
    for (let time = step; time <= late + atMost + step; time += step) {
      scene.github.clock.advance(step)
      scene.github.record(scene.hook, [{ event: 'push', payload: {}, statusCode: 502 }])
      if (guid === '' && time >= late) {
        const past = { event: 'push', payload: {}, statusCode: 502, deliveredAt: sentAt }
        guid = scene.github.record(scene.hook, [past])[0]?.guid ?? ''
      }
      await read()
    }
    return guid
  }

  test('is found by recovery', async () => {
    const scene = await Scene.open()
    await scene.recovery().sweep()
    const guid = await passTime(scene, () => scene.recovery().sweep())
    expect((await scene.inbox.missedDeliveries()).map((missed) => missed.guid)).toContain(guid)
  })

  test('is found by polling', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll()
    await poll.turn()
    const guid = await passTime(scene, () => poll.turn())
    expect((await scene.inbox.list({ guid })).deliveries).toHaveLength(1)
  })
})
