import { expect, test } from 'vitest'
import { eventually, Scene } from './scene.ts'

const handlers = [{ event: 'push', name: 'late', behaviour: 'waits', options: { backoff: 1 } }] as const

test.runIf(process.platform === 'linux')(
  'a stopped worker that continues cannot undo what other workers did meanwhile',
  async () => {
    const scene = new Scene()
    const id = await scene.store('late')
    const stopped = await scene.work(handlers)
    await eventually(() => expect(scene.lines('late')).toEqual(['+1']))
    for (await stopped.stop(); scene.isLocked(); await stopped.stop()) stopped.goOn() // so that others can write

    const other = await scene.work(handlers)
    await eventually(() => expect(scene.lines('late')).toEqual(['+1', '+2'])) // taken over
    stopped.goOn()
    stopped.tell('go')
    await eventually(() => expect(scene.lines('late')).toEqual(['+1', '+2', '=1']))
    stopped.tell('close') // which waits until it has told the inbox how its attempt ended
    await stopped.ended
    expect(await scene.outcomes(id, 'late')).toEqual(['cut off', 'running'])
    expect(await scene.state(id)).toBe('running')

    other.tell('go')
    await eventually(async () => expect(await scene.state(id)).toBe('done'))
    expect(await scene.outcomes(id, 'late')).toEqual(['cut off', 'succeeded'])
    expect(scene.lines('late')).toEqual(['+1', '+2', '=1', '=2'])
  },
)

test('a worker that is killed is taken over from by one that was there before', async () => {
  const scene = new Scene()
  const survivor = [
    { event: 'ping', name: 'other', behaviour: 'ends' },
    { ...handlers[0], behaviour: 'ends' },
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
