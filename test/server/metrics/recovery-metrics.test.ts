import { expect, onTestFinished, test } from 'vitest'
import { Metrics } from '../../../src/server/metrics/metrics.ts'
import { Scene } from '../../github/recovery-scene.ts'

/** A receiver that missed two pushes, and its metrics of recovery. */
async function missed() {
  const scene = await Scene.open()
  const metrics = new Metrics(scene.inbox)
  onTestFinished(() => metrics.close())
  await scene.stopListening()
  for (let times = 0; times < 2; times++) await scene.github.deliver('push', {})
  const shown = async (state?: Parameters<Metrics['read']>[1]) => {
    const lines = (await metrics.read('text/plain', state)).matchAll(
      /^hookserver_(?:recovery|missed)_(\S+?)(?:\{state="([\w ]+)"\})? (\S+)$/gm,
    )
    return Object.fromEntries([...lines].map(([, name, state = name, value]) => [state, Number(value)]))
  }
  return { scene, shown }
}

test('shows nothing before the first sweep', async () => {
  const { shown } = await missed()
  expect(await shown()).toEqual({})
})

test('shows missed deliveries of a process that polls, which runs no sweep', async () => {
  const { scene, shown } = await missed()
  await scene.recovery().sweep({}, { isSingle: true })
  expect(await shown()).toEqual({})
  expect(await shown({ polls: [] })).toMatchObject({ requested: 2 })
})

test('shows missed deliveries by state, and the time of the last sweep', async () => {
  const { scene, shown } = await missed()
  await scene.recovery().sweep()
  const [, second] = await scene.inbox.missedDeliveries()
  if (second) await scene.inbox.saveMissedDeliveries([{ ...second, state: 'expired' }])
  const { last_sweep_timestamp_seconds: last = Number.NaN, ...others } = await shown()
  expect(others).toEqual({ missed: 0, requested: 1, received: 0, expired: 1, unrecorded: 0, failing_webhooks: 0 })
  expect(last).toBeLessThanOrEqual(Date.now() / 1000)
  expect(last).toBeGreaterThan(Date.now() / 1000 - 60)
})

test('shows whether this process runs a sweep, if it recovers deliveries', async () => {
  const { scene, shown } = await missed()
  const during: unknown[] = []
  const connect = async () => {
    during.push(await running())
    return scene.requester()
  }
  const recovery = scene.recovery({ connect })
  const running = async () => (await shown({ isSweeping: recovery.isSweeping })).sweep_running
  const before = await running()
  await recovery.sweep()
  expect([before, ...during, await running()]).toEqual([0, 1, 0])
  expect(await shown()).not.toHaveProperty('sweep_running')
})

test('shows a webhook as failing until its sweep succeeds', async () => {
  const { scene, shown } = await missed()
  scene.github.failAt(/^GET/, { status: 401 })
  await scene.recovery().sweep()
  expect((await shown()).failing_webhooks).toBe(1)
  await scene.recovery().sweep()
  expect((await shown()).failing_webhooks).toBe(0)
})
