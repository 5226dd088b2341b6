import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { recordset } from '../../../src/postgres/connection/connection.ts'
import { Database, type Transaction } from '../../../src/postgres/connection/database.ts'
import { resolvePostgresOptions } from '../../../src/postgres/options.ts'
import { createTables } from '../inbox.ts'
import { type PostgresServer, startPostgres } from '../server.ts'

let server: PostgresServer
let database: Database

beforeAll(async () => {
  server = await startPostgres('synchronous_commit=off', 'default_transaction_isolation=serializable')
}, 60_000)

afterAll(() => server.stop(), 60_000)

beforeEach(async () => {
  database = await createTables(server.url, 4)
  return () => database.close()
})

const names = () => database.all<{ name: string }>('select name from key_values order by name')

const insertName = `insert into key_values (name, text) values ($1, 'x')`

describe('a connection', () => {
  test('commits to disk and limits every wait, even if the database has other defaults', async () => {
    const settings = await database.get(`
      select current_setting('synchronous_commit') as commit, current_setting('statement_timeout') as statement,
             current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle,
             current_setting('transaction_isolation') as isolation`)
    expect(settings).toEqual({ commit: 'on', statement: '30s', lock: '30s', idle: '5s', isolation: 'read committed' })
  })

  test('releases the locks of a suspended process within seconds', async () => {
    const [holds, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await database.run(insertName, 'held')
    const { schema } = (await database.get<{ schema: string }>('select current_schema() as schema')) ?? {}
    const settings = resolvePostgresOptions({ schema, statementTimeout: 500 }) // also limits the idle time
    const slow = new Database({ connectionString: server.url }, settings, { max: 1, name: 'test' })
    onTestFinished(() => slow.close())
    const still = slow.transaction(async (transaction) => {
      await transaction.run("update key_values set text = 'x' where name = 'held'")
      holds.resolve()
      await goesOn.promise
    })
    still.catch(() => undefined)
    await holds.promise
    expect(await database.run("update key_values set text = 'y' where name = 'held'")).toBe(1)
    goesOn.resolve()
    await expect(still).rejects.toThrow()
    expect(await database.get("select text from key_values where name = 'held'")).toEqual({ text: 'y' })
  })

  test.each<[name: string, pid: (one: Database) => Promise<unknown>]>([
    ['statement()', (one) => one.statement((sql) => sql.get('select pg_backend_pid() as pid'))],
    ['get()', (one) => one.get('select pg_backend_pid() as pid')],
  ])('%s replaces connections that were idle too long, because their process was suspended', async (_name, pid) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const one = new Database({ connectionString: server.url }, resolvePostgresOptions({}), { max: 1, name: 'test' })
    onTestFinished(() => one.close())
    const first = await pid(one)
    vi.setSystemTime(Date.now() + 10_000)
    expect(await pid(one)).toEqual(first)
    vi.setSystemTime(Date.now() + 10_001)
    expect(await pid(one)).not.toEqual(first)
  })

  test('does not use a connection again whose server has not answered in time', async () => {
    const settings = resolvePostgresOptions({ statementTimeout: '50ms', connectTimeout: 500 })
    const one = new Database({ connectionString: server.url }, settings, { max: 1, name: 'test' })
    onTestFinished(() => one.close())
    const unanswered = one.statement(async (sql) => {
      await sql.run('set statement_timeout to 0') // so that the server does not end the statement
      await sql.run('select pg_sleep(5)')
    })
    await expect(unanswered).rejects.toThrow('Query read timeout')
    expect(await one.statement((sql) => sql.get('select 1 as answer'))).toEqual({ answer: 1 })
  })

  test('rejects with ETIMEDOUT if the server does not answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const settings = resolvePostgresOptions({ connectTimeout: 100 })
    const unanswered = new Database({ host: '127.0.0.1', port, user: 'a' }, settings, { max: 1, name: 'test' })
    const asking = unanswered.transaction(async () => {})
    await expect(asking).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      message: 'no connection was available within 100 ms',
    })
    await unanswered.close()
  })

  test('returns bigint as numbers, and bytea as bytes', async () => {
    const row = await database.get(`select 9007199254740991::bigint as big, $1::bytea as bytes`, Buffer.from([0, 255]))
    expect(row).toEqual({ big: Number.MAX_SAFE_INTEGER, bytes: Buffer.from([0, 255]) })
  })

  test('replaces characters that PostgreSQL does not accept with U+FFFD', async () => {
    const odd = ['a\0b', '\ud83d', 'naïve 🚀 "\\', '']
    const expected = ['a\ufffdb', '\ufffd', 'naïve 🚀 "\\', '']
    expect(await database.get('select $1::text[] as texts', odd)).toEqual({ texts: expected })
    const rows = recordset(odd.map((text) => ({ text })))
    const told = await database.all<{ text: string }>(
      'select text from json_to_recordset($1::json) as x (text text)',
      rows,
    )
    expect(told.map(({ text }) => text)).toEqual(expected)
  })

  test('is replaced after the server has ended it', async () => {
    const pidOf = async () => (await database.get<{ pid: number }>('select pg_backend_pid() as pid'))?.pid ?? 0
    const before = await pidOf()
    const other = await createTables(server.url, 1)
    onTestFinished(() => other.close())
    await other.run('select pg_terminate_backend($1::int, 5000)', before)
    await vi.waitFor(async () => expect(await pidOf()).not.toBe(before))
  })
})

describe('a transaction', () => {
  test('commits its statements together with the deliveries that it has changed', async () => {
    await database.transaction(async (transaction) => {
      await transaction.run(insertName, 'a')
      transaction.changed.add(7).add(8)
      expect(await names()).toEqual([])
    })
    expect(await names()).toEqual([{ name: 'a' }])
    expect(await database.all('select deliveries::int[] from changes')).toEqual([{ deliveries: [7, 8] }])
  })

  test('rolls back when its work fails', async () => {
    const work = database.transaction(async (transaction) => {
      await transaction.run(insertName, 'a')
      throw new Error('of the work')
    })
    await expect(work).rejects.toThrow('of the work')
    expect(await names()).toEqual([])
  })

  test('sends the commit without waiting for its last statements, and rolls back if one of them fails', async () => {
    await database.transaction((transaction) => Promise.all([transaction.run(insertName, 'a'), transaction.commit()]))
    const twice = database.transaction((transaction) =>
      Promise.all([transaction.run(insertName, 'b'), transaction.run(insertName, 'a'), transaction.commit()]),
    )
    await expect(twice).rejects.toThrow('duplicate key')
    expect(await names()).toEqual([{ name: 'a' }])
  })

  test('rolls back when its work fails before a statement is sent', async () => {
    const work = database.transaction((transaction) =>
      Promise.all([
        transaction.run(insertName, 'a'),
        Promise.reject(new RangeError('no such time')),
        transaction.commit(),
      ]),
    )
    await expect(work).rejects.toThrow('no such time')
    expect(await names()).toEqual([])
  })

  test('accepts no statement after it has failed', async () => {
    const failed = Promise.withResolvers<Transaction>()
    const work = database.transaction(async (transaction) => {
      failed.resolve(transaction)
      await transaction.run('select 1 / 0')
    })
    await expect(work).rejects.toThrow('division by zero')
    await expect((await failed.promise).run(insertName, 'late')).rejects.toThrow('The transaction has ended')
  })

  test('reports the first failure, not that later statements were ignored', async () => {
    const work = database.transaction((transaction) =>
      Promise.all([
        transaction.run('select 1 / 0').then(
          () => 1,
          async (error) => Promise.reject(error),
        ),
        transaction.run(insertName, 'a'),
        transaction.commit(),
      ]),
    )
    await expect(work).rejects.toMatchObject({ code: '22012' })
  })

  test('closes its connection to a read-only server, so that the next may reach a primary', async () => {
    const single = await createTables(server.url, 1)
    onTestFinished(() => single.close())
    const own = async () => (await single.get<{ pid: number }>('select pg_backend_pid() as pid'))?.pid
    const before = await own()
    const work = single.transaction(async (transaction) => {
      await transaction.run('set transaction read only')
      await transaction.run(insertName, 'a')
    })
    await expect(work).rejects.toMatchObject({ code: '25006' })
    expect(await own()).not.toBe(before)
  })

  test('rejects if its work has ignored the failure of a statement', async () => {
    const work = database.transaction(async (transaction) => {
      await transaction.run(insertName, 'a')
      await transaction.run('select 1 / 0').catch(() => undefined)
    })
    await expect(work).rejects.toThrow('division by zero')
    expect(await names()).toEqual([])
  })

  test('accepts no statement after it has ended', async () => {
    const transaction = await database.transaction(async (own) => own)
    await expect(transaction.run(insertName, 'late')).rejects.toThrow('The transaction has ended')
    expect(await names()).toEqual([])
  })

  test('is retried after a deadlock', async () => {
    await database.run(insertName, 'a')
    await database.run(insertName, 'b')
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const lock = `update key_values set text = 'y' where name = $1`
    let attempts = 0
    const crossing = (first: string, second: string, index: number) => {
      return database.transaction(async (transaction) => {
        attempts++
        await transaction.run(lock, first)
        both[index]?.resolve()
        await both[1 - index]?.promise
        await transaction.run(lock, second)
      })
    }
    await Promise.all([crossing('a', 'b', 0), crossing('b', 'a', 1)])
    expect(attempts).toBeGreaterThan(2)
  })

  test('is retried after a conflict with a concurrent transaction', async () => {
    await database.run(insertName, 'a')
    let attempts = 0
    await database.transaction(async (transaction) => {
      attempts++
      await transaction.run('set transaction isolation level repeatable read')
      await transaction.run('select from key_values')
      if (attempts === 1) await database.run(`update key_values set text = 'other'`)
      await transaction.run(`update key_values set text = 'own'`)
    })
    expect(attempts).toBe(2)
    expect(await database.all('select text from key_values')).toEqual([{ text: 'own' }])
  })

  test('fails when its connection is lost, and the next transaction has another connection', async () => {
    const lost = database.transaction(async (transaction) => {
      const { pid } = (await transaction.get<{ pid: number }>('select pg_backend_pid() as pid')) ?? {}
      await database.run('select pg_terminate_backend($1::int)', pid)
      await transaction.run(insertName, 'a')
    })
    await expect(lost).rejects.toThrow()
    await database.transaction((transaction) => transaction.run(insertName, 'b'))
    expect(await names()).toEqual([{ name: 'b' }])
  })
})

test('rejects with ECONNREFUSED if there is no server', async () => {
  const settings = resolvePostgresOptions({ connectTimeout: 200 })
  const nowhere = new Database({ connectionString: 'postgres://127.0.0.1:1/x' }, settings, { max: 1, name: 'test' })
  await expect(nowhere.run('select 1')).rejects.toThrow('ECONNREFUSED')
  await nowhere.close()
})
