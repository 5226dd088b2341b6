import { describe, expect, test, vi } from 'vitest'
import { releaseWorker } from '../../../src/sqlite/task-queue/leases.ts'
import { endUnhandledTasks } from '../../../src/sqlite/task-queue/unhandled-tasks.ts'
import { day, hour, minute } from '../../receiver/fixtures.ts'
import { Engine, policy, storing } from '../engine.ts'

const vanishAfter = hour

/** An inbox with a worker, which checks for unhandled tasks. Its time starts at 5000. */
function start(...handlers: string[]) {
  const engine = new Engine()
  const worker = engine.registerWorker(...handlers)
  let now = 5000
  const check = () => engine.writing.transaction(() => endUnhandledTasks(engine.writing, vanishAfter, now))
  check()
  return {
    engine,
    worker,
    check,
    /** Moves the time forward without a check. @returns the time. */
    wait: (ms: number) => (now += ms),
    /** Moves the time forward without checks, as while no process runs. Then checks once. */
    skip(ms: number) {
      now += ms
      check()
    },
    /** Lets the time pass while a worker runs. */
    pass(ms: number) {
      for (let left = ms; left > 0; left -= 2 * minute) {
        now += Math.min(left, 2 * minute)
        check()
      }
    },
    setHandlers: (...names: string[]) => engine.write('updateWorker', worker, names.map(policy)),
    /** Stores a delivery with a due task. @returns the id of the delivery. */
    due(handler: string, key?: string): number {
      const { id } = engine.store()
      engine.dispatch(worker, id, { handler, key, claim: false })
      return id
    },
  }
}

describe('a task with a handler that no worker has', () => {
  test('ends as gone once it is due and no worker has had its handler for `vanishAfter`', () => {
    const { engine, worker, pass, setHandlers } = start('a', 'b')
    const { id } = engine.store()
    const [a, b] = engine.dispatch(worker, id, 'a', 'b')
    for (const claimed of [a, b]) if (claimed) engine.finish(worker, claimed, 'failed', { nextAt: 6000 })
    setHandlers('b')
    pass(hour - 1)
    expect(engine.tasks(id)).toEqual({ a: 'retrying', b: 'retrying' })
    pass(1)
    expect(engine.tasks(id)).toEqual({ a: 'gone', b: 'retrying' })
    expect(engine.detail(id).state).toBe('retrying')
  })

  test('does not end before it is due', () => {
    const { engine, worker, pass, setHandlers } = start('a')
    const claimed = engine.begin(worker, 'a')
    engine.finish(worker, claimed, 'failed', { nextAt: 5000 + 3 * hour })
    setHandlers('b')
    pass(3 * hour - 1)
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
    pass(1)
    expect(engine.tasks(claimed.id)).toEqual({ a: 'gone' })
  })

  test('waits from the first check on if no worker ever had its handler', () => {
    const { engine, pass, due } = start('another')
    const id = due('a')
    pass(1)
    pass(hour - 1)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
    pass(1)
    expect(engine.tasks(id)).toEqual({ a: 'gone' })
  })

  test('stays if a worker has its handler again in time, and then waits for the full time again', () => {
    const { engine, pass, due, setHandlers } = start('another')
    const id = due('a')
    pass(hour - 1)
    setHandlers('a')
    pass(1)
    setHandlers('another')
    pass(hour - 1)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
    pass(1)
    expect(engine.tasks(id)).toEqual({ a: 'gone' })
  })

  test('leaves its delivery ignored if it was the only task', () => {
    const { engine, pass, due } = start('another')
    const id = due('a')
    pass(1)
    pass(hour)
    expect([engine.tasks(id), engine.detail(id).state]).toEqual([{ a: 'gone' }, 'ignored'])
  })

  test('stays while there is no worker, or a worker of another process has its handler', () => {
    const { engine, worker, skip, pass, due } = start('a')
    const id = due('a')
    engine.write('releaseWorker', worker)
    skip(2 * hour)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
    engine.registerWorker('a')
    engine.registerWorker('b')
    pass(2 * hour)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
  })
})

describe('time without a worker', () => {
  test('does not count, so the first program after an outage ends no tasks of the second', () => {
    const { engine, worker, skip, pass, due } = start('a', 'b')
    const id = due('b')
    engine.write('releaseWorker', worker)
    engine.registerWorker('a')
    skip(25 * day)
    pass(hour - minute)
    expect(engine.tasks(id)).toEqual({ b: 'pending' })
    pass(minute)
    expect(engine.tasks(id)).toEqual({ b: 'gone' })
  })

  test.each(['a killed worker is removed', 'the first worker runs only briefly'])(
    'does not count if %s before the first check after an outage',
    (name) => {
      const { engine, worker, check, due, wait } = start('b')
      const id = due('b')
      const end = (one: number) => engine.writing.transaction(() => releaseWorker(engine.writing, one, wait(1000)))
      const killed = engine.registerWorker('a')
      end(worker)
      wait(25 * day)
      end(name.startsWith('a killed') ? killed : engine.registerWorker('a'))
      engine.registerWorker('a')
      check()
      expect(engine.tasks(id)).toEqual({ b: 'pending' })
    },
  )

  test('does not restart the time that passed while a worker ran', () => {
    const { engine, setHandlers, skip, pass, due } = start('a', 'b')
    const id = due('b')
    setHandlers('a')
    pass(hour - 2 * minute)
    skip(day)
    expect(engine.tasks(id)).toEqual({ b: 'pending' })
    pass(2 * minute)
    expect(engine.tasks(id)).toEqual({ b: 'gone' })
  })

  test('does not count for workers without handlers', () => {
    const { engine, setHandlers, pass, due } = start('a')
    const id = due('a')
    setHandlers()
    pass(2 * hour)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
  })
})

test('a check and a release with 10,000 handlers take few statements', () => {
  const { engine, worker, check, setHandlers } = start('a')
  setHandlers(...Array.from({ length: 10_000 }, (_, index) => `handler ${index}`))
  const run = vi.spyOn(engine.writing, 'run')
  check()
  expect(engine.count('handlers')).toBe(10_001)
  engine.write('releaseWorker', worker)
  expect(run.mock.calls.length).toBeLessThan(10)
})

describe('a clock that jumps', () => {
  test('forward ends no task', () => {
    const { engine, setHandlers, skip, due } = start('a', 'b')
    const id = due('b')
    setHandlers('a')
    skip(hour) // as to daylight saving time, if a clock shows local time
    expect(engine.tasks(id)).toEqual({ b: 'pending' })
  })

  test.each([hour, day, 365 * day])('back by %i ms delays the end of a task by at most a minute', (jump) => {
    const { engine, setHandlers, skip, pass, due } = start('a', 'b')
    skip(jump)
    const id = due('b')
    setHandlers('a')
    skip(-jump)
    pass(hour - 1)
    expect(engine.tasks(id)).toEqual({ b: 'pending' })
    pass(minute)
    expect(engine.tasks(id)).toEqual({ b: 'gone' })
  })
})

describe('ordered tasks of a handler that no worker has', () => {
  test('end together, with all tasks that wait for them', () => {
    const { engine, pass, due } = start('another')
    const ids = [due('a', 'k'), due('a', 'k'), due('a', 'k'), due('a', 'other'), due('a')]
    pass(1)
    pass(hour)
    expect(ids.map((id) => engine.tasks(id))).toEqual(ids.map(() => ({ a: 'gone' })))
    expect(ids.map((id) => engine.detail(id).state)).toEqual(ids.map(() => 'ignored'))
  })

  test('end in batches of a thousand', () => {
    const { engine, worker, pass, skip } = start('another')
    engine.writer.execute(Array.from({ length: 1001 }, () => storing()))
    const ids = Array.from({ length: 1001 }, (_, index) => index + 1)
    const tasks = [{ handler: 'a', key: 'k', claim: false }]
    engine.write(
      'recordMatches',
      worker,
      ids.map((id) => ({ id, summary: {}, tasks })),
      1000,
    )
    pass(1)
    pass(hour)
    expect(engine.read('overview').states).toMatchObject({ ignored: 1000, pending: 1 })
    expect(engine.tasks(1001)).toEqual({ a: 'pending' })
    skip(1)
    expect(engine.tasks(1001)).toEqual({ a: 'gone' })
  })

  test('stay if they start later, and are then the first with their key', () => {
    const { engine, worker, pass, due } = start('another')
    const first = due('a', 'k')
    const { id } = engine.store()
    const startAt = 5000 + 2 * hour
    engine.dispatch(worker, id, { handler: 'a', key: 'k', claim: false, startAt })
    pass(hour + 2 * minute)
    expect([engine.tasks(first), engine.tasks(id)]).toEqual([{ a: 'gone' }, { a: 'pending' }])
    expect(engine.detail(id).nextAttemptAt).toBe(startAt)
    pass(hour)
    expect(engine.tasks(id)).toEqual({ a: 'gone' })
  })
})
