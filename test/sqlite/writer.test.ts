import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { NewDelivery, StoreResult } from '../../src/inbox/inbox.ts'
import type { Answer, Call } from '../../src/runtime/thread-server.ts'
import {
  type BatchAnswer,
  BatchEncoder,
  type DeliveryBatch,
  decodeAnswer,
} from '../../src/sqlite/delivery-store/delivery-batch.ts'
import type { WriterCalls } from '../../src/sqlite/threads.ts'
import { bytesOf, Engine, failing, given, newDelivery, storing } from './engine.ts'

/** A batch of these deliveries. */
function batchOf(deliveries: readonly Partial<NewDelivery>[]): DeliveryBatch {
  const encoder = new BatchEncoder()
  for (const delivery of deliveries.map(newDelivery)) encoder.add(delivery, JSON.stringify(delivery.headers))
  return encoder.finish()
}

/** The result of each delivery of a batch. */
function resultsOf(answer: Answer | undefined) {
  const batchAnswer = given<BatchAnswer>(answer)
  return Array.from({ length: batchAnswer.results.length / 2 }, (_, index) => decodeAnswer(batchAnswer, index))
}

const commits = (engine: Engine) => {
  const exec = vi.spyOn(engine.writing.db, 'exec')
  return () => exec.mock.calls.filter(([sql]) => sql === 'commit').length
}

describe('a batch', () => {
  test('is one transaction', () => {
    const engine = new Engine()
    const count = commits(engine)
    const answers = engine.writer.execute(['a', 'b', 'c'].map((guid) => storing({ guid })))
    expect(answers.map((answer) => ('value' in answer ? answer.value : answer))).toEqual(
      [1, 2, 3].map((id) => ({ id, outcome: 'stored', conflict: false })),
    )
    expect(count()).toBe(1)
    expect(engine.count('deliveries')).toBe(3)
  })

  test('fails only the call that failed', () => {
    const engine = new Engine()
    const answers = engine.writer.execute([storing({ guid: 'a' }), failing(), storing({ guid: 'b' })])
    expect(answers).toMatchObject([
      { value: { id: 1, outcome: 'stored' } },
      { error: { message: expect.stringContaining('NOT NULL'), errcode: 1299 } },
      { value: { id: 2, outcome: 'stored' } },
    ])
    expect([engine.count('deliveries'), engine.count('packs')]).toEqual([2, 2])
  })

  test('of deliveries is one transaction, with the other calls', () => {
    const engine = new Engine()
    const count = commits(engine)
    const batch = batchOf([{ guid: 'a' }, { guid: 'b' }, { guid: 'a' }])
    const answers = engine.writer.execute([{ method: 'storeBatch', args: [batch] }, storing({ guid: 'b' })])
    expect(resultsOf(answers[0])).toEqual([
      { id: 1, outcome: 'stored', conflict: false },
      { id: 2, outcome: 'stored', conflict: false },
      { id: 1, outcome: 'duplicate', conflict: false },
    ])
    expect(answers[1]).toEqual({ value: { id: 2, outcome: 'duplicate', conflict: false } })
    expect(count()).toBe(1)
  })

  test('of deliveries fails only the delivery that failed', () => {
    const engine = new Engine()
    const batch = batchOf([{ guid: 'a' }, { event: null as never }, { guid: 'b' }])
    const answers = engine.writer.execute([{ method: 'storeBatch', args: [batch] }, failing(), storing({ guid: 'c' })])
    expect(resultsOf(answers[0])).toMatchObject([{ id: 1 }, { error: { errcode: 1299 } }, { id: 2 }])
    expect(answers.slice(1)).toMatchObject([{ error: {} }, { value: { id: 3 } }])
    expect([engine.count('deliveries'), engine.count('packs')]).toEqual([3, 3])
  })

  test('of one call that fails stores nothing', () => {
    const engine = new Engine()
    expect(engine.writer.execute([failing()])).toMatchObject([{ error: {} }])
    expect(engine.writing.db.isTransaction).toBe(false)
    expect(engine.count('deliveries')).toBe(0)
  })

  test('fails as a whole if it cannot be committed, and stores nothing', () => {
    const engine = new Engine()
    const { db } = engine.writing
    const exec = db.exec.bind(db)
    const refuse = vi.spyOn(db, 'exec').mockImplementation((sql) => {
      if (sql === 'commit') throw new Error('The disk is full')
      exec(sql)
    })
    const failed = engine.writer.execute([storing({ guid: 'a' }), storing({ guid: 'b' })])
    expect(failed).toEqual([{ error: { message: 'The disk is full' } }, { error: { message: 'The disk is full' } }])
    refuse.mockRestore()
    expect(engine.count('deliveries')).toBe(0)
    expect(engine.store({ guid: 'a' }).outcome).toBe('stored')
  })

  test('fails as a whole if another process holds the lock for too long', () => {
    const engine = new Engine(undefined, { lockTimeout: '1ms' })
    const other = new DatabaseSync(engine.path)
    onTestFinished(() => other.close())
    other.exec('begin immediate')
    const answers = engine.writer.execute([storing({ guid: 'a' }), storing({ guid: 'b' })])
    expect(answers).toMatchObject(Array(2).fill({ error: { message: expect.stringContaining('locked'), errcode: 5 } }))
    other.exec('rollback')
    expect(engine.store({ guid: 'a' }).outcome).toBe('stored')
  })
})

describe('the time of the acknowledgment', () => {
  test('is recorded with the next transaction, or on close', () => {
    const engine = new Engine()
    const { id } = engine.store()
    expect(engine.detail(id).ackedAt).toBeUndefined()
    const second = engine.store().id
    expect(engine.detail(id).ackedAt).toBeGreaterThanOrEqual(engine.detail(id).storedAt)
    expect(engine.detail(second).ackedAt).toBeUndefined()
    engine.writer.close()
    expect(engine.detail(second).ackedAt).toEqual(expect.any(Number))
  })

  test('is recorded once: a duplicate does not change it', () => {
    const engine = new Engine()
    const { id } = engine.store({ guid: 'g' })
    engine.writer.execute([])
    engine.writing.run('update deliveries set acked_at = 5 where id = ?', id)
    engine.store({ guid: 'g' })
    engine.writer.execute([])
    expect(engine.detail(id)).toMatchObject({ ackedAt: 5, duplicates: 1 })
  })

  test('is kept if the next transaction fails for any reason', () => {
    for (const calls of [[failing()], [failing(), failing()]]) {
      const engine = new Engine()
      const { id } = engine.store()
      engine.writer.execute(calls)
      engine.writer.execute([])
      expect(engine.detail(id).ackedAt).toEqual(expect.any(Number))
    }
    const engine = new Engine(undefined, { lockTimeout: '1ms' })
    const { id } = engine.store()
    const other = new DatabaseSync(engine.path)
    onTestFinished(() => other.close())
    other.exec('begin immediate')
    engine.writer.execute([storing({ guid: 'a' })])
    other.exec('rollback')
    engine.writer.execute([])
    expect(engine.detail(id).ackedAt).toEqual(expect.any(Number))
  })

  test('of an imported delivery is kept, even if other deliveries are stored in the same transaction', () => {
    const engine = new Engine()
    const exported = engine.detail(engine.store().id)
    const imported = { ...exported, guid: 'imported', ackedAt: 5 }
    const importing: Call<WriterCalls> = {
      method: 'importDeliveries',
      args: [[{ delivery: imported, body: bytesOf({}) }]],
    }
    const answers = engine.writer.execute([storing(), importing, storing()])
    const [first, last] = [answers[0], answers[2]].map((answer) => given<StoreResult>(answer).id)
    engine.writer.execute([])
    const times = [first, Number(first) + 1, last].map((id) => engine.detail(Number(id)).ackedAt)
    expect(times).toEqual([expect.any(Number), 5, times[0]])
  })

  test('is not recorded for a delivery that was rolled back', () => {
    const engine = new Engine()
    const { db } = engine.writing
    const exec = db.exec.bind(db)
    const refuse = vi.spyOn(db, 'exec').mockImplementation((sql) => {
      if (sql === 'commit') throw new Error('The disk is full')
      exec(sql)
    })
    engine.writer.execute([storing({ guid: 'a' })])
    refuse.mockRestore()
    const { id } = engine.store({ guid: 'b' })
    expect(engine.detail(id).ackedAt).toBeUndefined()
  })
})

test('a handler can be paused twice, and resumed although it is not paused', () => {
  const engine = new Engine()
  for (const handler of ['a', 'a', '*']) engine.write('pause', handler)
  expect(engine.read('overview')).toMatchObject({ paused: ['*', 'a'] })
  for (const handler of ['a', 'b']) engine.write('resume', handler)
  expect(engine.read('overview')).toMatchObject({ paused: ['*'] })
})
