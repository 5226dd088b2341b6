import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { recordset, type Session } from '../../src/postgres/connection.ts'
import { asked, Database } from '../../src/postgres/database.ts'
import { resolvePostgresOptions } from '../../src/postgres/options.ts'
import { createTables } from './inbox.ts'
import { type PostgresServer, startPostgres } from './server.ts'

let server: PostgresServer
let database: Database

beforeAll(async () => {
  server = await startPostgres('synchronous_commit=off')
}, 60_000)

afterAll(() => server.stop(), 60_000)

beforeEach(async () => {
  database = await createTables(server.url, 4)
  return () => database.close()
})

const notes = () => database.all<{ name: string }>('select name from key_values order by name')

const note = `insert into key_values (name, text) values ($1, 'x')`

describe('a connection', () => {
  test('commits to disk, whatever the default of the database is, and waits for nothing for ever', async () => {
    const settings = await database.get(`
      select current_setting('synchronous_commit') as commit, current_setting('statement_timeout') as statement,
             current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`)
    expect(settings).toEqual({ commit: 'on', statement: '30s', lock: '30s', idle: '5s' })
  })

  test('whose process stands still in a transaction holds up nobody for long', async () => {
    const [holds, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await database.run(note, 'held')
    const { schema } = (await database.get<{ schema: string }>('select current_schema() as schema')) ?? {}
    const settings = resolvePostgresOptions({ schema, statementTimeout: 500 }) // which bounds that time, too
    const slow = new Database({ connectionString: server.url }, settings, { max: 1, name: 'test' })
    onTestFinished(() => slow.close())
    const still = slow.transaction(async (session) => {
      await session.run("update key_values set text = 'x' where name = 'held'")
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

  test('says so when nobody answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const settings = resolvePostgresOptions({ connectTimeout: 100 })
    const unanswered = new Database({ host: '127.0.0.1', port, user: 'a' }, settings, { max: 1, name: 'test' })
    const asking = unanswered.transaction(async () => {})
    await expect(asking).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      message: 'no connection could be had within 100 ms',
    })
    await unanswered.close()
  })

  test('gives numbers as numbers, and bytes as they are', async () => {
    const row = await database.get(`select 9007199254740991::bigint as big, $1::bytea as bytes`, Buffer.from([0, 255]))
    expect(row).toEqual({ big: Number.MAX_SAFE_INTEGER, bytes: Buffer.from([0, 255]) })
  })

  test('keeps texts that PostgreSQL does not, with U+FFFD for what it cannot', async () => {
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

  test('that was ended by the server is replaced', async () => {
    const pidOf = async () => (await database.get<{ pid: number }>('select pg_backend_pid() as pid'))?.pid ?? 0
    const before = await pidOf()
    const other = await createTables(server.url, 1)
    onTestFinished(() => other.close())
    await other.run('select pg_terminate_backend($1::int, 5000)', before)
    await vi.waitFor(async () => expect(await pidOf()).not.toBe(before))
  })
})

describe('a transaction', () => {
  test('is carried out as a whole, with what it has changed', async () => {
    await database.transaction(async (session) => {
      await session.run(note, 'a')
      session.changed.add(7).add(8)
      expect(await notes()).toEqual([])
    })
    expect(await notes()).toEqual([{ name: 'a' }])
    expect(await database.all('select deliveries::int[] from changes')).toEqual([{ deliveries: [7, 8] }])
  })

  test('leaves nothing when its work fails', async () => {
    const work = database.transaction(async (session) => {
      await session.run(note, 'a')
      throw new Error('of the work')
    })
    await expect(work).rejects.toThrow('of the work')
    expect(await notes()).toEqual([])
  })

  test('may end with statements that nobody waits for; if one of them fails nothing is left of it', async () => {
    await database.transact((session) => asked(session.run(note, 'a')))
    const twice = database.transact((session) => asked(Promise.all([session.run(note, 'b'), session.run(note, 'a')])))
    await expect(twice).rejects.toThrow('duplicate key')
    expect(await notes()).toEqual([{ name: 'a' }])
  })

  test('is not committed when what it asks for fails here, and not in the database', async () => {
    const work = database.transact((session) =>
      asked(Promise.all([session.run(note, 'a'), Promise.reject(new RangeError('no such time'))])),
    )
    await expect(work).rejects.toThrow('no such time')
    expect(await notes()).toEqual([])
  })

  test('waits for whoever has still to look something up before he asks', async () => {
    const looked = Promise.withResolvers<void>()
    const work = database.transact((session) => {
      const later = session.lend(async (db) => {
        await looked.promise
        return db.executeSql(note, ['a'])
      })
      return asked(later)
    })
    await database.run(note, 'b') // meanwhile
    looked.resolve()
    await work
    expect(await notes()).toEqual([{ name: 'a' }, { name: 'b' }])
  })

  test('that fails can be asked for nothing any more', async () => {
    const failed = Promise.withResolvers<Session>()
    const work = database.transaction(async (session) => {
      failed.resolve(session)
      await session.run('select 1 / 0')
    })
    await expect(work).rejects.toThrow('division by zero')
    await expect((await failed.promise).run(note, 'late')).rejects.toThrow('The transaction has ended')
  })

  test('tells what failed first, and not that the rest was ignored', async () => {
    const work = database.transact((session) =>
      asked(
        Promise.all([
          session.run('select 1 / 0').then(
            () => 1,
            async (error) => Promise.reject(error),
          ),
          session.run(note, 'a'),
        ]),
      ),
    )
    await expect(work).rejects.toMatchObject({ code: '22012' })
  })

  test('on a server that takes no writes gives its connection up: the next may reach one that does', async () => {
    const single = await createTables(server.url, 1)
    onTestFinished(() => single.close())
    const own = async () => (await single.get<{ pid: number }>('select pg_backend_pid() as pid'))?.pid
    const before = await own()
    const work = single.transaction(async (session) => {
      await session.run('set transaction read only')
      await session.run(note, 'a')
    })
    await expect(work).rejects.toMatchObject({ code: '25006' })
    expect(await own()).not.toBe(before)
  })

  test('that swallowed the failure of a statement is not taken for committed', async () => {
    const work = database.transaction(async (session) => {
      await session.run(note, 'a')
      await session.run('select 1 / 0').catch(() => undefined)
    })
    await expect(work).rejects.toThrow('division by zero')
    expect(await notes()).toEqual([])
  })

  test('can be asked for nothing once it has ended', async () => {
    const session = await database.transaction(async (own) => own)
    await expect(session.run(note, 'late')).rejects.toThrow('The transaction has ended')
    expect(await notes()).toEqual([])
  })

  test('is begun again when PostgreSQL has ended it so that another could go on', async () => {
    await database.run(note, 'a')
    await database.run(note, 'b')
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const lock = `update key_values set text = 'y' where name = $1`
    let attempts = 0
    const crossing = (first: string, second: string, index: number) => {
      return database.transaction(async (session) => {
        attempts++
        await session.run(lock, first)
        both[index]?.resolve()
        await both[1 - index]?.promise
        await session.run(lock, second)
      })
    }
    await Promise.all([crossing('a', 'b', 0), crossing('b', 'a', 1)])
    expect(attempts).toBeGreaterThan(2)
  })

  test('whose connection is lost fails, and the next has another', async () => {
    const lost = database.transaction(async (session) => {
      const { pid } = (await session.get<{ pid: number }>('select pg_backend_pid() as pid')) ?? {}
      await database.run('select pg_terminate_backend($1::int)', pid)
      await session.run(note, 'a')
    })
    await expect(lost).rejects.toThrow()
    await database.transaction((session) => session.run(note, 'b'))
    expect(await notes()).toEqual([{ name: 'b' }])
  })
})

test('a server that is not there is told within the time that a connection may take', async () => {
  const settings = resolvePostgresOptions({ connectTimeout: 200 })
  const nowhere = new Database({ connectionString: 'postgres://127.0.0.1:1/x' }, settings, { max: 1, name: 'test' })
  await expect(nowhere.run('select 1')).rejects.toThrow('ECONNREFUSED')
  await nowhere.close()
})
