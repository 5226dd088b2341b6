import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, Scene, temporaryFolder } from './scene.ts'

const [hour, day] = [3_600_000, 86_400_000]
const options = ['--import', join(import.meta.dirname, 'shifted-clock.ts')]

/** A scene in which the workers see another time of day than the test. */
class ShiftedScene extends Scene {
  readonly #shift = join(temporaryFolder(), 'shift')

  constructor() {
    super()
    process.env.SHIFT = this.#shift
    this.jump(0)
  }

  jump(ms: number): void {
    writeFileSync(`${this.#shift}.new`, String(ms))
    renameSync(`${this.#shift}.new`, this.#shift) // so that no process reads a part of the number
  }
}

beforeAll(() => void (process.env.SHIFT = ''))
afterAll(() => void delete process.env.SHIFT)

/** Before a jump: one delivery waits for its retry, another one runs, and a second worker checks leases. */
async function oneWaitsAndOneRuns() {
  const scene = new ShiftedScene()
  const handlers = [
    { event: 'push', name: 'retried', behavior: 'failsFirst', options: { backoff: hour } },
    { event: 'ping', name: 'held', behavior: 'waits' },
  ] as const
  const [retried, held] = [await scene.store('retried'), await scene.store('held', 'ping')]
  const worker = await scene.work(handlers, { options })
  await eventually(async () => expect(await scene.outcomes(retried, 'retried')).toEqual(['failed']))
  await eventually(() => expect(scene.lines('held')).toEqual(['+1']))
  await scene.work(handlers, { options })
  return { scene, worker, retried, held }
}

test('a forward jump makes retries due early and expires no lease', async () => {
  const { scene, worker, retried, held } = await oneWaitsAndOneRuns()

  scene.jump(day)
  await eventually(async () => expect(await scene.state(retried)).toBe('done'))
  await scene.looks()
  expect(scene.lines('held')).toEqual(['+1'])
  worker.tell('go')
  await eventually(async () => expect(await scene.state(held)).toBe('done'))
  expect(await scene.outcomes(held, 'held')).toEqual(['succeeded'])
})

test('a backward jump delays no task and expires no lease', async () => {
  const { scene, worker, retried, held } = await oneWaitsAndOneRuns()

  scene.jump(-day)
  await eventually(async () => expect(await scene.state(retried)).toBe('done'))
  await scene.looks()
  expect(scene.lines('held')).toEqual(['+1'])
  worker.tell('go')
  await eventually(async () => expect(await scene.state(held)).toBe('done'))
  expect(await scene.outcomes(held, 'held')).toEqual(['succeeded'])
})

test('retries an attempt that failed while the clock was a day ahead, once the clock is correct', async () => {
  const scene = new ShiftedScene()
  const handlers = [{ event: 'push', name: 'failing', behavior: 'waitsAndFails', options: { backoff: hour } }] as const
  const id = await scene.store('failing')
  const worker = await scene.work(handlers, { options })
  await eventually(() => expect(scene.lines('failing')).toEqual(['+1']))
  scene.jump(day)
  worker.tell('go')
  await eventually(async () => expect(await scene.outcomes(id, 'failing')).toEqual(['failed']))
  scene.jump(0)
  await eventually(async () => expect(await scene.state(id)).toBe('done'))
})

test.each(['closes', 'is killed'])(
  'ends no task of a program that starts later after an outage of 25 hours, if the other program %s before the outage',
  async (end) => {
    const scene = new ShiftedScene()
    const first = [{ event: 'ping', name: 'first', behavior: 'ends' }] as const
    const second = [{ event: 'push', name: 'second', behavior: 'ends' }] as const
    await scene.inbox.pause('second')
    const id = await scene.store('waits')
    const owner = await scene.work(second, { options })
    await eventually(async () => expect((await scene.inbox.get(id))?.tasks).toMatchObject([{ state: 'pending' }]))
    const other = await scene.work(first, { options })
    owner.tell('close')
    await owner.ended
    if (end === 'closes') other.tell('close')
    else await other.kill()
    await other.ended

    scene.jump(25 * hour)
    await scene.inbox.resume('second')
    await scene.work(first, { options })
    await scene.looks()
    expect(await scene.state(id)).toBe('pending')
    await scene.work(second, { options })
    await eventually(async () => expect(await scene.state(id)).toBe('done'))
  },
)
