/** The statements of the store, on an API that has only `exec` and `transactionSync`. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Connection, type SqlValue, writeTransaction } from '../../../src/sqlite/connection/connection.ts'
import { prepareFile } from '../../../src/sqlite/connection/open.ts'
import { changes } from '../../../src/sqlite/delivery-reader/changes.ts'
import { body, get, load, overview, readUnmatched } from '../../../src/sqlite/delivery-reader/read.ts'
import { list } from '../../../src/sqlite/delivery-reader/search.ts'
import { pruneBatch } from '../../../src/sqlite/operations/retention.ts'
import { Writer } from '../../../src/sqlite/writer.ts'
import { encoded, failing, given, newDelivery, newFile, policy, storing } from '../engine.ts'

type Row = Record<string, SqlValue>

/** An API like that of a Durable Object. */
interface SqlStorage {
  exec(sql: string, ...values: SqlValue[]): Row[]
  /** Rolls back if `work` throws. May be nested. */
  transactionSync<T>(work: () => T): T
}

class ExecConnection implements Connection {
  readonly changed: Set<number> = new Set()
  readonly #storage: SqlStorage

  constructor(storage: SqlStorage) {
    this.#storage = storage
  }

  all<T>(sql: string, ...values: SqlValue[]): T[] {
    return this.#storage.exec(sql, ...values) as T[]
  }

  get<T>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.all<T>(sql, ...values)[0]
  }

  each<T>(sql: string, ...values: SqlValue[]): Iterable<T> {
    return this.all(sql, ...values)
  }

  run(sql: string, ...values: SqlValue[]): number {
    this.#storage.exec(sql, ...values)
    return this.#number('select changes() as number')
  }

  insert(sql: string, ...values: SqlValue[]): number {
    this.#storage.exec(sql, ...values)
    return this.#number('select last_insert_rowid() as number')
  }

  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work)
  }

  usedBytes(): number {
    return this.#number('select page_count * page_size as number from pragma_page_count, pragma_page_size')
  }

  #number(sql: string): number {
    return this.get<{ number: number }>(sql)?.number ?? 0
  }
}

/** A file that only this API can access. */
function openStorage(): SqlStorage {
  const path = newFile()
  prepareFile(path)
  const db = new DatabaseSync(path)
  onTestFinished(() => db.close())
  let depth = 0
  return {
    exec: (sql, ...values) => db.prepare(sql).all(...values) as Row[],
    transactionSync(work) {
      depth++
      db.exec(`savepoint s${depth}`)
      try {
        return work()
      } catch (error) {
        db.exec(`rollback to s${depth}`)
        throw error
      } finally {
        db.exec(`release s${depth}`)
        depth--
      }
    },
  }
}

function open() {
  const connection = new ExecConnection(openStorage())
  const writer = new Writer(connection, { maxSize: Number.MAX_SAFE_INTEGER, heartbeat: 1000 })
  return { connection, writer }
}

describe('on an API with only exec() and transactionSync()', () => {
  test('a delivery is stored, matched, claimed, retried and finished', () => {
    const { connection, writer } = open()
    const delivery = newDelivery({ guid: 'g' })
    const [stored, copy, worker] = writer.execute([
      { method: 'store', args: [encoded(delivery)] },
      { method: 'store', args: [encoded(delivery)] },
      { method: 'registerWorker', args: [[policy('a')]] },
    ])
    expect([given(stored), given(copy)]).toMatchObject([
      { id: 1, outcome: 'stored' },
      { id: 1, outcome: 'duplicate' },
    ])
    const [unmatched] = readUnmatched(connection, 10, 1e6, 0)
    expect(unmatched).toMatchObject({ id: 1, guid: 'g', body: delivery.body })
    const id = given<number>(worker)
    const match = { id: 1, summary: { action: 'opened' }, tasks: [{ handler: 'a', key: 'k', claim: true }] }
    const [matched] = writer.execute([{ method: 'recordMatches', args: [id, [match], 1000] }])
    expect(given(matched)).toMatchObject({ matched: 1, claimed: [{ id: 1, handler: 'a', attempt: 1 }] })
    const attempt = { id: 1, handler: 'a', startedAt: 1000, duration: 5 }
    const [failed] = writer.execute([
      { method: 'finish', args: [id, [{ ...attempt, attempt: 1, outcome: 'failed', nextAt: 2000 }]] },
    ])
    expect(given(failed)).toEqual([{ id: 1, state: 'retrying' }])
    const [claimed] = writer.execute([{ method: 'claim', args: [id, { wanted: { a: 1 }, bytes: 1e6, now: 2000 }] }])
    expect(given(claimed)).toMatchObject([{ id: 1, attempt: 2, attemptsUsed: 2 }])
    const [done] = writer.execute([
      { method: 'finish', args: [id, [{ ...attempt, attempt: 2, outcome: 'succeeded' }]] },
    ])
    expect(given(done)).toEqual([{ id: 1, state: 'done' }])
    expect(get(connection, 1)).toMatchObject({ state: 'done', duplicates: 1, tasks: [{ handler: 'a', state: 'done' }] })
    expect([body(connection, 1), load(connection, [1])[0]?.body]).toEqual([delivery.body, delivery.body])
  })

  test('a call that fails does not fail the others', () => {
    const { connection, writer } = open()
    const answers = writer.execute([storing({ guid: 'a' }), failing(), storing({ guid: 'b' })])
    expect(answers).toMatchObject([{ value: { id: 1 } }, { error: {} }, { value: { id: 2 } }])
    expect(list(connection, {}).deliveries.map(({ guid }) => guid)).toEqual(['b', 'a'])
  })

  test('checkWritable leaves no delivery behind', () => {
    const { connection, writer } = open()
    const [checked, stored] = writer.execute([{ method: 'checkWritable', args: [] }, storing()])
    expect([given(checked), given(stored)]).toMatchObject([undefined, { outcome: 'stored' }])
    expect(overview(connection).states.pending).toBe(1)
  })

  test('a transaction logs the changed deliveries, and pruning deletes them', () => {
    const { connection, writer } = open()
    const { position } = changes(connection, undefined)
    writer.execute([storing({ receivedAt: 1 })])
    writer.execute([{ method: 'discard', args: [{ ids: [1] }, 'not wanted'] }])
    expect(changes(connection, position).deliveries).toMatchObject([{ id: 1, state: 'discarded' }])
    const retention = { age: 1000, size: Number.MAX_SAFE_INTEGER }
    expect(writeTransaction(connection, () => pruneBatch(connection, retention, 1e6))).toBe(1)
    expect(get(connection, 1)).toBeUndefined()
  })
})
