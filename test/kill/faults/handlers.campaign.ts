import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type HandlerFailure, Hooks } from '../../../src/index.ts'
import { afterwards, eventually, newDelivery, Scene } from './scene.ts'

test('a delivery whose handler exits the process ends dead, and other deliveries are handled', async () => {
  const scene = new Scene()
  const poison = await scene.store('poison')
  const others = await Promise.all(['a', 'b', 'c'].map((guid) => scene.store(guid, 'ping')))
  const handlers = [
    { event: 'push', name: 'exits', behavior: 'exits', options: { attempts: 2, backoff: '1ms' } },
    { event: 'push', name: 'sibling', behavior: 'ends', options: { backoff: '1ms' } },
    { event: 'ping', name: 'other', behavior: 'ends', options: { backoff: '1ms' } },
  ] as const

  for (const _restart of [1, 2]) expect(await (await scene.work(handlers)).ended).toContain('exited (7)')
  await scene.work(handlers) // the third worker survives
  await eventually(async () => expect(await scene.state(poison)).toBe('dead'))

  expect(scene.lines('exits')).toEqual(['+1', '+2'])
  expect(await scene.outcomes(poison, 'exits')).toEqual(['cut off', 'cut off', 'dead'])
  const exiting = (await scene.inbox.get(poison))?.tasks.find(({ handler }) => handler === 'exits')
  const reason = 'All 2 attempts are used up: the lease of the last one expired, or "attempts" was lowered'
  expect(exiting?.attempts.at(-1)?.error).toBe(reason)
  await eventually(async () => expect((await scene.outcomes(poison, 'sibling')).at(-1)).toBe('succeeded'))
  for (const id of others) await eventually(async () => expect(await scene.state(id)).toBe('done'))
})

test('a handler that blocks the event loop keeps its lease', async () => {
  const scene = new Scene()
  const id = await scene.store('blocking')
  await scene.work([{ event: 'push', name: 'blocks', behavior: 'blocks' }])
  await eventually(() => expect(scene.lines('blocks')).toEqual(['+1']))
  await scene.work([{ event: 'push', name: 'blocks', behavior: 'ends' }])
  await scene.looks()
  expect(scene.lines('blocks')).toEqual(['+1'])

  writeFileSync(`${scene.journal.path}.go`, '')
  await eventually(async () => expect(await scene.state(id)).toBe('done'))
  expect(scene.lines('blocks')).toEqual(['+1', '=1'])
  expect(await scene.outcomes(id, 'blocks')).toEqual(['succeeded'])
})

test('a handler that never settles times out, and other handlers continue', async () => {
  const { inbox } = new Scene()
  const hooks = new Hooks({ validateSignature: false, inbox, logger: false })
  afterwards(() => hooks.close({ grace: 0 }))
  const signals: AbortSignal[] = []
  const endless = ({ signal }: { signal: AbortSignal }) => {
    signals.push(signal)
    return new Promise(() => {})
  }
  hooks.on('push', { name: 'endless', timeout: '20ms', backoff: '1ms', concurrency: 1 }, endless)
  hooks.on(['push', 'ping'], { name: 'other' }, () => {})
  hooks.work()
  const first = await inbox.store(newDelivery('first'))
  const outcomes = async (id: number, handler: string) => {
    const task = (await inbox.get(id))?.tasks.find((one) => one.handler === handler)
    return { state: task?.state, outcomes: task?.attempts.map(({ outcome }) => outcome) }
  }
  await eventually(async () => expect((await outcomes(first.id, 'endless')).outcomes).toEqual(['failed']))
  expect(signals[0]?.reason).toMatchObject({ name: 'TimeoutError' })

  const second = await inbox.store(newDelivery('second'))
  await eventually(async () => expect((await outcomes(second.id, 'other')).state).toBe('done'))
  expect(await outcomes(first.id, 'other')).toEqual({ state: 'done', outcomes: ['succeeded'] })
  // The retry is due, but the first attempt still occupies the only slot of the handler.
  expect(await outcomes(first.id, 'endless')).toEqual({ state: 'retrying', outcomes: ['failed'] })
  expect(await outcomes(second.id, 'endless')).toEqual({ state: 'pending', outcomes: [] })
  expect(signals).toHaveLength(1)
})

test('a handler that throws null fails like any other', async () => {
  const { inbox } = new Scene()
  const errors: unknown[] = []
  const onDead = ({ error }: HandlerFailure) => errors.push(error)
  const hooks = new Hooks({ inbox, logger: false, onError: onDead, onDead })
  afterwards(() => hooks.close())
  const throwsNull = () => {
    throw null
  }
  hooks.on('push', { name: 'null', attempts: 2, backoff: '1ms' }, throwsNull)
  hooks.on('push', { name: 'rejects', attempts: 1 }, () => Promise.reject(null))
  hooks.work()
  const { id } = await inbox.store(newDelivery('null'))
  await eventually(async () => expect((await inbox.get(id))?.state).toBe('dead'))
  const tasks = (await inbox.get(id))?.tasks.map(({ attempts }) =>
    attempts.map(({ outcome, error }) => [outcome, error]),
  )
  expect(tasks).toEqual([
    [
      ['failed', 'Thrown: null'],
      ['dead', 'Thrown: null'],
    ],
    [['dead', 'Thrown: null']],
  ])
  expect(new Set(errors)).toEqual(new Set([null]))
})
