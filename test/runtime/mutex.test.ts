import { expect, test } from 'vitest'
import { KeyLocks } from '../../src/runtime/mutex.ts'

const never = new AbortController().signal

/** A piece of work that the test ends. */
function piece(log: string[], name: string) {
  const end = Promise.withResolvers<void>()
  const work = async () => {
    log.push(`${name} begins`)
    await end.promise
    log.push(`${name} ends`)
    return name
  }
  return { work, end: end.resolve, fail: end.reject }
}

/** Lets everything run that does not wait for the test. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('KeyLocks run work with the same key in order, and work with another key immediately', async () => {
  const log: string[] = []
  const locks = new KeyLocks()
  const [a, b, other] = [piece(log, 'a'), piece(log, 'b'), piece(log, 'other')]
  const taken = [
    locks.run('key', never, a.work),
    locks.run('key', never, b.work),
    locks.run('key 2', never, other.work),
  ]
  await settle()
  expect(log).toEqual(['a begins', 'other begins'])
  b.end()
  other.end()
  await settle()
  expect(log).toEqual(['a begins', 'other begins', 'other ends'])
  a.end()
  expect(await Promise.all(taken)).toEqual(['a', 'b', 'other'])
  expect(log.slice(3)).toEqual(['a ends', 'b begins', 'b ends'])
})

test('KeyLocks keep the order for work that is added while other work runs', async () => {
  const log: string[] = []
  const locks = new KeyLocks()
  const [a, b, c] = [piece(log, 'a'), piece(log, 'b'), piece(log, 'c')]
  const taken = [locks.run('key', never, a.work), locks.run('key', never, b.work)]
  a.end()
  await settle()
  taken.push(locks.run('key', never, c.work))
  await settle()
  expect(log).toEqual(['a begins', 'a ends', 'b begins'])
  b.end()
  c.end()
  await Promise.all(taken)
})

test('KeyLocks pass on a failure, and run the next work', async () => {
  const log: string[] = []
  const locks = new KeyLocks()
  const [a, b] = [piece(log, 'a'), piece(log, 'b')]
  const [first, second] = [locks.run('key', never, a.work), locks.run('key', never, b.work)]
  a.fail(new Error('broken'))
  b.end()
  await expect(first).rejects.toThrow('broken')
  expect(await second).toBe('b')
})

test('KeyLocks remove work whose signal aborts, and keep the order of the rest', async () => {
  const log: string[] = []
  const locks = new KeyLocks()
  const [a, b, c] = [piece(log, 'a'), piece(log, 'b'), piece(log, 'c')]
  const controller = new AbortController()
  const first = locks.run('key', never, a.work)
  const second = locks.run('key', controller.signal, b.work)
  const third = locks.run('key', never, c.work)
  controller.abort(new Error('too late'))
  await expect(second).rejects.toThrow('too late')
  await settle()
  expect(log).toEqual(['a begins'])
  a.end()
  c.end()
  await Promise.all([first, third])
  expect(log).toEqual(['a begins', 'a ends', 'c begins', 'c ends'])
})

test('KeyLocks leave nothing behind', async () => {
  const locks = new KeyLocks()
  const controller = new AbortController()
  const taken = Array.from({ length: 100 }, (_, i) =>
    locks.run(`key ${i % 10}`, i % 3 ? never : controller.signal, async () => {
      if (i % 7 === 0) throw new Error('broken')
    }),
  )
  expect(locks.size).toBe(10)
  controller.abort()
  await Promise.allSettled(taken)
  await settle()
  expect(locks.size).toBe(0)
})
