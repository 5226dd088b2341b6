import { expect, test } from 'vitest'
import { eventually, Scene } from './scene.ts'

const handlers = [{ event: 'push', name: 'late', behavior: 'waits', options: { backoff: '1ms' } }] as const

test.runIf(process.platform === 'linux')(
  'a suspended worker that resumes cannot undo the work of other workers',
  async () => {
    const scene = new Scene()
    const id = await scene.store('late')
    const stopped = await scene.work(handlers)
    await eventually(() => expect(scene.lines('late')).toEqual(['+1']))
    // Repeats until the suspended worker holds no write lock, so that the other worker can write.
    for (await stopped.stop(); scene.isLocked(); await stopped.stop()) stopped.resume()

    const other = await scene.work(handlers)
    await eventually(() => expect(scene.lines('late')).toEqual(['+1', '+2'])) // another worker reclaimed the task
    stopped.resume()
    stopped.tell('go')
    await eventually(() => expect(scene.lines('late')).toEqual(['+1', '+2', '=1']))
    stopped.tell('close') // the worker reports the result of its attempt to the inbox before it ends
    await stopped.ended
    expect(await scene.outcomes(id, 'late')).toEqual(['cut off', 'running'])
    expect(await scene.state(id)).toBe('running')

    other.tell('go')
    await eventually(async () => expect(await scene.state(id)).toBe('done'))
    expect(await scene.outcomes(id, 'late')).toEqual(['cut off', 'succeeded'])
    expect(scene.lines('late')).toEqual(['+1', '+2', '=1', '=2'])
  },
)

test('a worker that is already running reclaims the tasks of a killed worker', async () => {
  const scene = new Scene()
  const survivor = [
    { event: 'ping', name: 'other', behavior: 'ends' },
    { ...handlers[0], behavior: 'ends' },
  ] as const
  const id = await scene.store('late')
  const victim = await scene.work(handlers)
  await eventually(() => expect(scene.lines('late')).toEqual(['+1']))
  await scene.work(survivor)
  await scene.looks()
  await victim.kill()
  await eventually(async () => expect(await scene.state(id)).toBe('done'))
  expect(await scene.outcomes(id, 'late')).toEqual(['cut off', 'succeeded'])
})
