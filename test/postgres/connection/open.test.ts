/** Which process creates the tables, and how programs of different versions use them at the same time. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Store } from '../../../src/inbox/inbox.ts'
import { Database } from '../../../src/postgres/connection/database.ts'
import { prepareDatabase } from '../../../src/postgres/connection/open.ts'
import { migratePostgres, type PostgresOptions, postgres } from '../../../src/postgres/index.ts'
import { type Migration, migrate, migrations, newestVersion } from '../../../src/postgres/migrations.ts'
import { resolvePostgresOptions } from '../../../src/postgres/options.ts'
import { recordMatches, unmatched } from '../../../src/testing/inbox-contract/matching.ts'
import { eventually, storeIn } from '../../inbox/stores.ts'
import { type PostgresServer, startPostgres } from '../server.ts'

let server: PostgresServer
let schemas = 0

beforeAll(async () => {
  server = await startPostgres('fsync=off')
}, 60_000)

afterAll(() => server.stop(), 60_000)

const newSchema = () => `opening_${++schemas}`

function open(options: PostgresOptions, url = server.url): Store {
  const inbox = postgres(url, options)
  onTestFinished(() => inbox.close())
  return inbox
}

function connect(schema: string): Database {
  const settings = resolvePostgresOptions({ schema })
  const database = new Database({ connectionString: server.url }, settings, { max: 2, name: 'test' })
  onTestFinished(() => database.close())
  return database
}

const versionsIn = (schema: string) =>
  connect(schema).all('select version, min_version from schema_migrations order by version')

test('creates the tables once if several programs start together', async () => {
  const schema = newSchema()
  const inboxes = Array.from({ length: 4 }, () => open({ schema, connections: 3 }))
  const ids = await Promise.all(inboxes.map((inbox) => storeIn(inbox)))
  expect(ids.toSorted()).toEqual([1, 2, 3, 4])
  expect(await versionsIn(schema)).toMatchObject([{ version: newestVersion() }])
})

test('uses the tables that `migratePostgres` has created if `migrate` is false', async () => {
  const options = { schema: newSchema(), migrate: false }
  const inbox = open(options)
  await expect(storeIn(inbox)).rejects.toThrow(
    `Cannot open the inbox in PostgreSQL: there are no tables in the schema ${options.schema}: run "hookserver migrate"`,
  )
  expect(await migratePostgres(server.url, options)).toEqual({ taken: 1 })
  expect(await migratePostgres(server.url, options)).toEqual({ taken: 0 })
  expect(await storeIn(inbox)).toBe(1)
})

test('runs with a role that may not create schemas, once the schemas exist', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  const database = connect(schema)
  await database.transaction((session) =>
    session.script(`
      create role humble login password 'humble';
      grant usage on schema ${schema} to humble;
      grant all on all tables in schema ${schema} to humble;
      grant all on all sequences in schema ${schema} to humble`),
  )
  const url = server.url.replace('hookserver:secret', 'humble:humble')
  expect(await storeIn(open({ schema, migrate: false }, url))).toBe(2)
})

test('names the missing right if a role may not use the schema', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  await connect(schema).transaction((session) => session.script(`create role stranger login password 'stranger'`))
  const url = server.url.replace('hookserver:secret', 'stranger:stranger')
  await expect(storeIn(open({ schema, migrate: false }, url))).rejects.toThrow(
    `the user stranger may not use the schema ${schema}: grant usage on schema ${schema} to "stranger"`,
  )
})

test('creates the tables again if they are deleted while the inbox is open', async () => {
  const schema = newSchema()
  const inbox = open({ schema })
  const register = () => inbox.registerWorker([{ name: 'a', backoff: 1000 }])
  await register()
  await connect(schema).run(`drop schema ${schema} cascade`)
  const claim = async () => inbox.claim(await register(), { wanted: { a: 1 }, bytes: 1e9, now: Date.now() })
  await expect(claim()).rejects.toThrow('does not exist')
  expect(await claim()).toEqual([])
  expect(await storeIn(inbox)).toBe(1)
})

test('names the missing tables if it may not create them', async () => {
  const schema = newSchema()
  await migratePostgres(server.url, { schema })
  const inbox = open({ schema, migrate: false })
  const worker = await inbox.registerWorker([{ name: 'a', backoff: 1000 }])
  await connect(schema).run(`drop schema ${schema} cascade`)
  const claim = () => inbox.claim(worker, { wanted: { a: 1 }, bytes: 1e9, now: Date.now() })
  await expect(claim()).rejects.toThrow(`there are no tables in the schema ${schema}: run "hookserver migrate"`)
})

test('creates nothing in a database that is not in UTF-8', async () => {
  await connect('public').run(`create database latin encoding 'LATIN1' locale 'C' template template0`)
  const url = server.url.replace(/postgres$/, 'latin')
  const problem = 'the database uses the encoding LATIN1, and hookserver needs UTF8: create another database'
  for (const migrate of [true, false]) await expect(storeIn(open({ migrate }, url))).rejects.toThrow(problem)
  const database = new Database({ connectionString: url }, resolvePostgresOptions({}), { max: 1, name: 'test' })
  onTestFinished(() => database.close())
  expect(await database.all(`select from pg_namespace where nspname like 'hookserver%'`)).toEqual([])
})

/** An invented step to the next version: it adds a column and a table that the current program does not know. */
const next: Migration = {
  sql: `
    alter table deliveries add column priority int not null default 0;
    create table priorities (name text primary key);
    create index deliveries_priority on deliveries (priority) where priority > 0;`,
}

/** A program that knows the step `next`. It has its own modules, because the current program must not know the step. */
async function nextProgram(): Promise<typeof postgres> {
  vi.resetModules()
  const module = await import('../../../src/postgres/migrations.ts')
  ;(module.migrations as Migration[]).push(next)
  return (await import('../../../src/postgres/index.ts')).postgres
}

test('keeps storing and handling while a newer program migrates the tables', async () => {
  const schema = newSchema()
  const [stored, handled]: [number[], number[]] = [[], []]
  async function start(inbox: Store) {
    const worker = await inbox.registerWorker([{ name: 'a', backoff: 1000 }])
    const own: number[] = []
    const handle = async (): Promise<void> => {
      const plans = (await unmatched(inbox, 3, 1e9)).map(({ id }) => ({
        ...{ id, summary: { title: 't' }, tasks: [{ handler: 'a', claim: true }] },
      }))
      for (const task of await recordMatches(inbox, worker, plans, Date.now())) {
        own.push(task.id)
        handled.push(task.id)
        await inbox.finish(worker, [{ ...task, outcome: 'succeeded', startedAt: Date.now(), duration: 1 }])
      }
    }
    const receive = async (until: () => boolean): Promise<void> => {
      while (!until()) {
        stored.push(await storeIn(inbox))
        await setTimeout(20) // without pauses, hundreds of deliveries would be left to handle
      }
    }
    return { own, handle, receive }
  }

  const old = await start(open({ schema }))
  let bothWork = false
  const receiving = [1, 2].map(() => old.receive(() => bothWork))
  await eventually(async () => {
    await old.handle()
    expect(old.own.length).toBeGreaterThan(5)
  })
  const inbox = (await nextProgram())(server.url, { schema })
  onTestFinished(() => inbox.close())
  const newer = await start(inbox)
  expect((await versionsIn(schema)).at(-1)).toMatchObject({ version: newestVersion() + 1 })
  receiving.push(newer.receive(() => bothWork))
  const before = [old.own.length, newer.own.length] as const
  await eventually(async () => {
    await Promise.all([old.handle(), newer.handle()])
    expect(Math.min(old.own.length - before[0], newer.own.length - before[1])).toBeGreaterThan(5)
  })
  bothWork = true
  await Promise.all(receiving)
  await eventually(async () => {
    await Promise.all([old.handle(), newer.handle()])
    expect(handled.toSorted((a, b) => a - b)).toEqual(stored.toSorted((a, b) => a - b))
  })
  expect((await inbox.overview()).states).toMatchObject({ done: stored.length, pending: 0, running: 0 })
  expect(await storeIn(open({ schema }))).toBeGreaterThan(0) // the current program can also start now
})

test('fails to start with tables that are too new, and changes nothing', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  const breaking = { ...next, minVersion: newestVersion() + 1 }
  await connect(schema).transaction((session) => migrate(session, [...migrations, breaking]))
  const before = await versionsIn(schema)
  for (const migrate of [true, false]) {
    await expect(storeIn(open({ schema, migrate }))).rejects.toThrow(/changed by a newer .* upgrade hookserver/)
  }
  expect(await versionsIn(schema)).toEqual(before)
})

test('lets a migration step take longer than `statementTimeout` and `transaction_timeout`', async () => {
  const settings = resolvePostgresOptions({ schema: newSchema(), statementTimeout: 300, connectTimeout: 60_000 })
  await storeIn(open({ schema: settings.schema }))
  const url = `${server.url}?options=-c%20transaction_timeout%3D300ms`
  const database = new Database({ connectionString: url }, settings, { max: 1, name: 'test' })
  onTestFinished(() => database.close())
  const long = { sql: 'select pg_sleep(1); create table late (id int)' }
  expect(await prepareDatabase(database, settings, [...migrations, long])).toBe(1)
  await expect(database.run('select pg_sleep(1)')).rejects.toThrow()
})

test('lets other programs use a table while a migration step waits for the lock of the table', async () => {
  const schema = newSchema()
  const inbox = open({ schema })
  await storeIn(inbox)
  const [database, client] = [connect(schema), new pg.Client(server.url)]
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`begin; select from ${schema}.deliveries limit 1`)
  const migrating = prepareDatabase(database, resolvePostgresOptions({ schema }), [...migrations, next])
  await eventually(async () => {
    const waiting = "select from pg_locks where not granted and mode = 'AccessExclusiveLock'"
    expect((await client.query(waiting)).rowCount).toBe(1)
  })
  expect(await storeIn(inbox)).toBe(2) // while the transaction is still open
  await client.query('commit')
  expect(await migrating).toBe(1)
})

test('rolls back a migration step that fails', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  const broken = { sql: 'create table half (id int); create table half (id int)' }
  const migrating = connect(schema).transaction((session) => migrate(session, [...migrations, broken]))
  await expect(migrating).rejects.toThrow('already exists')
  expect(await connect(schema).get(`select to_regclass('half') as half`)).toEqual({ half: null })
  expect(await storeIn(open({ schema }))).toBe(2)
})

test('connects again at the next call if the database does not exist yet', async () => {
  const name = `late_${randomUUID().slice(0, 8)}`
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const inbox = open({}, String(url))
  await expect(storeIn(inbox)).rejects.toThrow(`database "${name}" does not exist`)
  await server.create(name)
  expect(await storeIn(inbox)).toBe(1)
})
