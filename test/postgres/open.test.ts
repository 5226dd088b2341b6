/** Who makes the tables, and how old and new programs get along. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { Database } from '../../src/postgres/database.ts'
import { migratePostgres, type PostgresOptions, postgres } from '../../src/postgres/index.ts'
import { migrate, type Step, steps } from '../../src/postgres/migrations.ts'
import { prepareDatabase } from '../../src/postgres/open.ts'
import { resolvePostgresOptions } from '../../src/postgres/options.ts'
import { recordMatches, unmatched } from '../../src/testing/inbox-contract/matching.ts'
import { eventually, storeIn } from '../inbox/stores.ts'
import { type PostgresServer, startPostgres } from './server.ts'

let server: PostgresServer
let schemas = 0

beforeAll(async () => {
  server = await startPostgres()
}, 60_000)

afterAll(() => server.stop(), 60_000)

const newSchema = () => `opening_${++schemas}`

function open(options: PostgresOptions, url = server.url): Inbox {
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

const levelsIn = (schema: string) => connect(schema).all('select taken, oldest from levels order by taken')

test('of programs that start together one makes the tables', async () => {
  const schema = newSchema()
  const inboxes = Array.from({ length: 4 }, () => open({ schema, connections: 3 }))
  const ids = await Promise.all(inboxes.map((inbox) => storeIn(inbox)))
  expect(ids.toSorted()).toEqual([1, 2, 3, 4])
  expect(await levelsIn(schema)).toHaveLength(steps.length)
})

test('the tables may be made apart, by whoever may do that', async () => {
  const options = { schema: newSchema(), migrate: false }
  const inbox = open(options)
  await expect(storeIn(inbox)).rejects.toThrow(
    `Cannot open the inbox in PostgreSQL: there are no tables in its schema ${options.schema}: run "hookserver migrate"`,
  )
  expect(await migratePostgres(server.url, options)).toEqual({ taken: steps.length })
  expect(await migratePostgres(server.url, options)).toEqual({ taken: 0 })
  expect(await storeIn(inbox)).toBe(1)
})

test('a role that may not make schemas is enough once they are there', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  const database = connect(schema)
  await database.transaction((session) =>
    session.script(`
      create role humble login password 'humble';
      grant usage on schema ${schema}, ${schema}_jobs to humble;
      grant all on all tables in schema ${schema} to humble;
      grant all on all sequences in schema ${schema} to humble;
      grant all on all tables in schema ${schema}_jobs to humble;
      grant execute on all functions in schema ${schema}_jobs to humble`),
  )
  const url = server.url.replace('hookserver:secret', 'humble:humble')
  expect(await storeIn(open({ schema, migrate: false }, url))).toBe(2)
})

/** What the next program may bring: a column and a table, which the one of today knows nothing of. */
const next: Step = {
  sql: `
    alter table deliveries add column priority int not null default 0;
    create table priorities (name text primary key);
    create index deliveries_priority on deliveries (priority) where priority > 0;`,
}

/** The program that brings it: modules of its own, since the one of today must not know of it. */
async function nextProgram(): Promise<typeof postgres> {
  vi.resetModules()
  const migrations = await import('../../src/postgres/migrations.ts')
  ;(migrations.steps as Step[]).push(next)
  return (await import('../../src/postgres/index.ts')).postgres
}

test('a program goes on while a newer one changes the tables under it, and both store and handle', async () => {
  const schema = newSchema()
  const [stored, handled]: [number[], number[]] = [[], []]
  async function start(inbox: Inbox) {
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
      while (!until()) stored.push(await storeIn(inbox))
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
  expect(await levelsIn(schema)).toHaveLength(steps.length + 1)
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
  expect(await storeIn(open({ schema }))).toBeGreaterThan(0) // one of today that starts now, too
})

test('a program whose pg-boss is older than the tables goes on, and starts again', async () => {
  const schema = newSchema()
  const inbox = open({ schema })
  await storeIn(inbox)
  await connect(schema).run(`update ${schema}_jobs.version set version = version + 1`)
  expect(await storeIn(inbox)).toBe(2)
  for (const migrate of [true, false]) {
    const again = open({ schema, migrate })
    await storeIn(again)
    const worker = await again.registerWorker([{ name: 'a', backoff: 1000 }])
    const ids = (await unmatched(again, 1, 1e9)).map(({ id }) => id)
    const plans = ids.map((id) => ({ id, summary: {}, tasks: [{ handler: 'a', claim: true }] }))
    expect(await recordMatches(again, worker, plans, Date.now())).toMatchObject([{ handler: 'a' }])
    await again.close()
  }
})

test('a program that may not change the tables says so when those of pg-boss are older', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  await connect(schema).run(`update ${schema}_jobs.version set version = version - 1`)
  const opening = storeIn(open({ schema, migrate: false }))
  await expect(opening).rejects.toThrow('its tables are of an older pg-boss: run "hookserver migrate"')
})

test('a program that is too old for the tables says so, and changes nothing', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  const breaking = { ...next, from: steps.length + 1 }
  await connect(schema).transaction((session) => migrate(session, [...steps, breaking]))
  const before = await levelsIn(schema)
  for (const migrate of [true, false]) {
    await expect(storeIn(open({ schema, migrate }))).rejects.toThrow(/changed by a newer .* upgrade hookserver/)
  }
  expect(await levelsIn(schema)).toEqual(before)
})

test('a step may take longer than other statements may', async () => {
  const settings = resolvePostgresOptions({ schema: newSchema(), statementTimeout: 300, connectTimeout: 300 })
  await storeIn(open({ schema: settings.schema }))
  const database = new Database({ connectionString: server.url }, settings, { max: 1, name: 'test' })
  onTestFinished(() => database.close())
  const long = { sql: 'select pg_sleep(1); create table late (id int)' }
  expect(await prepareDatabase(database, settings, [...steps, long])).toBe(1)
  await expect(database.run('select pg_sleep(1)')).rejects.toThrow()
})

test('a step that needs a table which somebody holds holds up nobody else for long', async () => {
  const schema = newSchema()
  const inbox = open({ schema })
  await storeIn(inbox)
  const [database, somebody] = [connect(schema), new pg.Client(server.url)]
  await somebody.connect()
  onTestFinished(() => somebody.end())
  await somebody.query(`begin; select from ${schema}.deliveries limit 1`)
  const migrating = prepareDatabase(database, resolvePostgresOptions({ schema }), [...steps, next])
  await eventually(async () => {
    const waiting = "select from pg_locks where not granted and mode = 'AccessExclusiveLock'"
    expect((await somebody.query(waiting)).rowCount).toBe(1)
  })
  expect(await storeIn(inbox)).toBe(2) // while the transaction is still open
  await somebody.query('commit')
  expect(await migrating).toBe(1)
})

test('a step that fails leaves the tables as they were', async () => {
  const schema = newSchema()
  await storeIn(open({ schema }))
  const broken = { sql: 'create table half (id int); create table half (id int)' }
  const migrating = connect(schema).transaction((session) => migrate(session, [...steps, broken]))
  await expect(migrating).rejects.toThrow('already exists')
  expect(await connect(schema).get(`select to_regclass('half') as half`)).toEqual({ half: null })
  expect(await storeIn(open({ schema }))).toBe(2)
})

test('a database that is not there yet is asked again by the next call', async () => {
  const name = `late_${randomUUID().slice(0, 8)}`
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const inbox = open({}, String(url))
  await expect(storeIn(inbox)).rejects.toThrow(`database "${name}" does not exist`)
  await server.create(name)
  expect(await storeIn(inbox)).toBe(1)
})
