import { expect, test } from 'vitest'
import { Engine } from '../engine.ts'

/** A process on another machine. */
const stranger = JSON.stringify({ host: 'elsewhere', pid: 1 })

/** A delivery whose payload another process has begun to parse, and a worker of that process. */
function parsedElsewhere() {
  const engine = new Engine()
  const worker = engine.registerWorker('a')
  const { id } = engine.store()
  engine.write('countMatchAttempt', id)
  engine.writing.run('update workers set process = ?', stranger)
  engine.writing.run('update leases set holder = ?', stranger)
  return { engine, worker, id }
}

test('counts no attempt to parse a payload while another process parses it', () => {
  const { engine, id } = parsedElsewhere()
  expect(engine.write('countMatchAttempt', id)).toBeUndefined()
  engine.write('forgetMatchAttempts', id)
  expect(engine.write('countMatchAttempt', id)).toBe(1)
})

test('counts an attempt to parse a payload once the workers of the process that parsed it are gone', () => {
  const { engine, worker, id } = parsedElsewhere()
  engine.write('releaseWorker', worker)
  expect([1, 2].map(() => engine.write('countMatchAttempt', id))).toEqual([2, 3])
})

test('keeps no lease of a payload that has ended its processes', () => {
  const engine = new Engine()
  const worker = engine.registerWorker('a')
  const { id } = engine.store()
  engine.write('countMatchAttempt', id)
  engine.write('recordMatches', worker, [{ id, summary: {}, tasks: [], invalid: 'The process ended' }], 1000)
  expect([engine.count('leases'), engine.count('match_attempts')]).toEqual([0, 0])
})
