/** Concurrent sweeps of two machines with one inbox, and of one process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually, openInbox } from '../../inbox/stores.ts'
import { allHandledOnce, failed, fastRetries, redeliveryCounts } from '../recorded-deliveries.ts'
import { Scene, token } from '../recovery-scene.ts'

describe('of two machines with one inbox', () => {
  test('one sweeps, and the other does not', async () => {
    const scene = await Scene.open()
    const missed = failed(scene, 500)
    const other = scene.recovery({ inbox: openInbox(scene.file) })
    const [one, two] = await Promise.all([scene.recovery().sweep(), other.sweep()])
    expect([one, two].filter((swept) => swept === undefined)).toHaveLength(1)
    expect(redeliveryCounts(scene)).toEqual(Array(500).fill(1))
    await allHandledOnce(scene, missed)
  })

  test('one keeps its lease while it waits for GitHub', async () => {
    const scene = await Scene.open()
    const missed = failed(scene, 3)
    scene.github.failAt(/^POST/, { status: 403, headers: { 'retry-after': '3' } })
    const settings = { retryPolicy: fastRetries, leaseTtl: 1500 }
    const under = scene.recovery(settings).sweep()
    await eventually(() => expect(redeliveryCounts(scene)).toHaveLength(1))
    const other = scene.recovery({ ...settings, inbox: openInbox(scene.file) })
    while ((await other.sweep()) === undefined);
    expect((await under)?.reports).toMatchObject([{ counts: { requested: 3 } }])
    expect(redeliveryCounts(scene)).toEqual([2, 1, 1])
    await allHandledOnce(scene, missed)
  })

  test('one continues after the other was killed, and requests nothing twice', async () => {
    const scene = await Scene.open()
    const missed = failed(scene, 400)
    const args = { file: scene.file, apiUrl: scene.github.url, token, hook: scene.hook.id, leaseTtl: 2000 }
    const program = new URL('sweep-process.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, JSON.stringify(args)], { stdio: 'inherit' })
    const ended = once(child, 'close')
    onTestFinished(() => void child.kill('SIGKILL'))
    await eventually(() => expect(redeliveryCounts(scene).length).toBeGreaterThan(100))
    const settings = { retryPolicy: fastRetries, leaseTtl: 2000 }
    const other = scene.recovery({ ...settings, inbox: openInbox(scene.file) })
    expect(await other.sweep()).toBeUndefined()
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(redeliveryCounts(scene).length).toBeLessThan(400)
    other.start()
    await eventually(() => expect(redeliveryCounts(scene)).toHaveLength(400))
    await allHandledOnce(scene, missed)
    // Only the request that the killed process sent last may be repeated, because the process may not have recorded it.
    expect(redeliveryCounts(scene).filter((times) => times > 1).length).toBeLessThanOrEqual(1)
  })

  test('one can sweep as soon as the other has stopped', async () => {
    const scene = await Scene.open()
    const missed = failed(scene, 3)
    const stopped = scene.recovery({ pace: 3_600_000 })
    stopped.start()
    await eventually(() => expect(redeliveryCounts(scene)).toHaveLength(1))
    await stopped.stop()
    const swept = await scene.recovery({ inbox: openInbox(scene.file) }).sweep()
    expect(swept?.reports).toMatchObject([{ counts: { requested: 2, received: 1 } }])
    await allHandledOnce(scene, missed)
  })
})

test('one process runs one sweep at a time', async () => {
  const scene = await Scene.open()
  const missed = failed(scene, 100)
  const recovery = scene.recovery()
  recovery.start() // as `serve` does; an operator starts the other sweep
  expect(await recovery.sweep()).toBeUndefined()
  await eventually(() => expect(redeliveryCounts(scene)).toHaveLength(100))
  await allHandledOnce(scene, missed)
  expect(redeliveryCounts(scene)).toEqual(Array(100).fill(1))
})
