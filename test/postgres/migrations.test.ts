/** Migrates, reads and uses databases of schema version 1, most of them with the contents of `version-1-contents.sql`. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/inbox/inbox.ts'
import { Hooks } from '../../src/index.ts'
import { Database } from '../../src/postgres/connection/database.ts'
import { postgres } from '../../src/postgres/index.ts'
import { type Migration, migrate, migrations } from '../../src/postgres/migrations.ts'
import { resolvePostgresOptions } from '../../src/postgres/options.ts'
import { bytesOf } from '../inbox/fixtures.ts'
import { detailIn, eventually, storeIn } from '../inbox/stores.ts'
import { databases } from './databases.ts'

const server = databases()

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

/** An invented step to the next version that does not affect a program of the current version. */
const nextStep: Migration = {
  sql: `
    alter table deliveries add column priority int not null default 0;
    update deliveries set priority = 1 where state = 'dead';
    create table priorities (name text primary key);
    insert into priorities values ('urgent')`,
}

const schema = read('../../src/postgres/schema.sql')

/** A database that these scripts have filled. @returns its URL. */
async function create(...scripts: string[]): Promise<string> {
  const url = await server.create()
  const client = new pg.Client(url)
  await client.connect()
  await client.query('create schema hookserver; set search_path to hookserver')
  for (const script of scripts) await client.query(script)
  await client.end()
  return url
}

/** A database of version 1 with contents. @returns its URL. */
const createFilled = () => create(read('version-1-schema.sql'), read('version-1-contents.sql'))

/** Applies `schema.sql` if there are no tables yet, and the steps. @returns the number of applied steps. */
function migrateWith(url: string, steps: readonly Migration[]): Promise<number> {
  return connect(url).transaction(async (session) => {
    await session.script('create schema if not exists hookserver')
    return migrate(session, steps)
  })
}

function connect(url: string): Database {
  const database = new Database({ connectionString: url }, resolvePostgresOptions({}), { max: 1, name: 'test' })
  onTestFinished(() => database.close())
  return database
}

/** Opens an inbox that keeps all deliveries. Its heartbeat is short, so that it soon reclaims the tasks of ended workers. */
function open(url: string): Store {
  const inbox = postgres(url, { heartbeat: 100, retention: Number.MAX_SAFE_INTEGER })
  onTestFinished(() => inbox.close())
  return inbox
}

/** All objects of the schema, as PostgreSQL describes them. */
const shapeOf = (url: string) =>
  connect(url).all<{ kind: string; name: string; definition: string }>(`
    select 'column' as kind, table_name || '.' || column_name as name,
           concat_ws(' ', ordinal_position, data_type, is_nullable, identity_generation, column_default, attstorage) as definition
    from information_schema.columns
    join pg_attribute on attrelid = (table_schema || '.' || table_name)::regclass and attname = column_name
    where table_schema = 'hookserver'
    union all
    select 'index', indexname, indexdef from pg_indexes where schemaname = 'hookserver'
    union all
    select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'hookserver'::regnamespace and conname not like '%_not_null'
    union all
    select 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
    from pg_trigger join pg_class on pg_class.oid = tgrelid where relnamespace = 'hookserver'::regnamespace
    union all
    select 'function', proname, regexp_replace(pg_get_functiondef(oid), '\\s+', ' ', 'g')
    from pg_proc where pronamespace = 'hookserver'::regnamespace
    union all
    select 'sequence', sequencename, concat_ws(' ', data_type, start_value, min_value, max_value, increment_by, cycle)
    from pg_sequences where schemaname = 'hookserver'
    order by kind, name`)

test('creates the same tables as psql that runs schema.sql', async () => {
  const url = await server.create()
  expect(await migrateWith(url, migrations)).toBe(1)
  const [shape, expected] = [await shapeOf(url), await shapeOf(await create(schema))]
  expect(shape).toEqual(expected)
  const kinds = new Set(shape.map(({ kind }) => kind))
  expect(kinds).toEqual(new Set(['column', 'constraint', 'function', 'index', 'sequence', 'trigger']))
})

test('migrates a database of version 1 to the tables of `schema.sql`', async () => {
  const url = await createFilled()
  expect(await migrateWith(url, migrations)).toBe(migrations.length)
  expect(await shapeOf(url)).toEqual(await shapeOf(await create(schema)))
})

test('migrates a database of version 1 to a later version, and keeps its contents', async () => {
  const [url, empty] = [await createFilled(), await server.create()]
  const steps = [...migrations, nextStep]
  expect(await migrateWith(url, steps)).toBe(steps.length)
  expect(await migrateWith(url, steps)).toBe(0)
  expect(await migrateWith(empty, steps)).toBe(2)
  expect(await shapeOf(url)).toEqual(await shapeOf(empty))
  expect(await connect(url).all('select version, min_version from schema_migrations order by version')).toEqual([
    { version: 1, min_version: 1 },
    { version: 2, min_version: 2 },
    { version: 3, min_version: 2 },
    { version: 4, min_version: 2 },
    { version: 5, min_version: 2 },
    { version: 6, min_version: 2 },
    { version: 7, min_version: 2 },
    { version: 8, min_version: 2 },
    { version: 9, min_version: 2 },
    { version: 10, min_version: 2 },
  ])
  expect(await connect(url).all('select guid from deliveries where priority = 1')).toEqual([{ guid: 'dead' }])
  await expectContents(open(url)) // this program can use the tables of version 9
})

test('lists the deliveries of a database of version 1', async () => {
  await expectContents(open(await createFilled()))
})

async function expectContents(inbox: Store): Promise<void> {
  const { deliveries } = await inbox.list({ budget: 20_000 })
  expect(deliveries.map(({ id, guid, state }) => `${id} ${guid} ${state}`)).toEqual([
    '14 recovered pending',
    '13 pending pending',
    '11 pending pending',
    '10 discarded discarded',
    '9 held pending',
    '8 due pending',
    '7 running running',
    '6 waiting retrying',
    '5 ignored ignored',
    '4 dead dead',
    '2 done done',
  ])
  for (const { id, guid, event } of deliveries) {
    const { headers } = await detailIn(inbox, id)
    expect(headers).toMatchObject({ 'x-github-delivery': guid, 'x-github-event': event })
  }
}

test('groups the failures of a database of version 1', async () => {
  const at = Date.UTC(2025, 0, 15, 10)
  const { groups } = await open(await createFilled()).failureGroups({}, at)
  const known = { firstAt: at + 250, lastAt: at + 250, returnedAt: undefined, hours: [...Array(23).fill(0), 1] }
  expect(groups.toSorted((a, b) => (a.handler < b.handler ? -1 : 1))).toMatchObject([
    { handler: 'build', error: 'Error: out of order', tasks: { dead: 1, retrying: 0 }, ...known },
    { handler: 'notify', error: 'Error: not now', tasks: { dead: 0, retrying: 1 }, ...known },
  ])
})

test('reads bodies, details, counts and metadata of a database of version 1', async () => {
  const inbox = open(await createFilled())
  const textOf = async (id: number) => Buffer.from((await inbox.body(id)) ?? []).toString()
  expect(JSON.parse(await textOf(4))).toEqual({
    ...{ action: 'opened', title: 'Überschrift', repository: { full_name: 'octo/app' } },
  })
  expect(await textOf(13)).toBe('payload=%7B%22ref%22%3A%22refs%2Fheads%2Fother%22%7D')
  expect(await detailIn(inbox, 13)).toMatchObject({ form: 'form', conflict: true, secretId: undefined })
  expect(await detailIn(inbox, 14)).toMatchObject({ pulled: true, editedFrom: 2 })
  expect(await detailIn(inbox, 2)).toMatchObject({
    ...{ duplicates: 1, repository: 'octo/app', ref: 'refs/heads/main', algorithm: 'sha256', address: '140.82.115.7' },
    ...{ receivedAt: Date.UTC(2025, 0, 15, 9, 31), ackedAt: expect.any(Number) },
    tasks: [
      {
        handler: 'build',
        attempts: [{ outcome: 'succeeded', result: '{"built":true}', log: expect.stringContaining('info built') }],
      },
      { handler: 'notify', attempts: [{ outcome: 'succeeded' }] },
    ],
  })
  expect(await detailIn(inbox, 4)).toMatchObject({
    title: 'Überschrift',
    tasks: [{ state: 'dead', attempts: [{ outcome: 'dead', error: expect.stringContaining('out of order') }] }],
  })
  expect(await inbox.overview()).toMatchObject({
    states: { pending: 5, running: 1, retrying: 1, dead: 1, discarded: 1, done: 1, ignored: 1 },
    paused: ['deploy'],
    missedDeliveries: { requested: 1 },
  })
  expect(await inbox.rejections()).toMatchObject({ counts: { bad_signature: 3 }, latest: [{ guid: 'refused' }] })
  expect(await inbox.getValue('ranges')).toContain('192.0.2.0/24')
  expect(await inbox.missedDeliveries()).toMatchObject([{ guid: 'missing', deliveryId: '12345678901' }])
  expect(await inbox.createdAt()).toBe(Date.UTC(2025, 0, 15, 9, 29))
})

test('handles the unfinished deliveries of a database of version 1, and no others', async () => {
  const inbox = open(await createFilled())
  const hooks = new Hooks({ secret: 'unused', validateIp: false, logger: false, inbox })
  onTestFinished(() => hooks.close({ grace: 0 }))
  const handled: string[] = []
  for (const name of ['build', 'notify']) {
    hooks.on('*', { name }, ({ guid, attempt }) => void handled.push(`${name} ${guid} ${attempt}`))
  }
  hooks.work()
  await eventually(async () => {
    expect((await inbox.overview()).states).toMatchObject({ done: 8, dead: 1, discarded: 1, ignored: 1 })
  })
  expect(handled.toSorted()).toEqual([
    ...['build held 1', 'build pending 1', 'build pending 1', 'build recovered 1', 'build running 2'],
    ...['notify due 1', 'notify pending 1', 'notify pending 1', 'notify recovered 1', 'notify waiting 2'],
  ])
  expect(handled.indexOf('build running 2')).toBeLessThan(handled.indexOf('build held 1'))
})

test('recognizes copies of the deliveries of a database of version 1', async () => {
  const inbox = open(await createFilled())
  const again = (guid: string, body: Uint8Array | undefined = new Uint8Array()) =>
    inbox.store({
      ...{ source: '/hooks', hookId: '292430182', guid, event: 'push', headers: {}, body, form: 'json' },
      ...{ address: undefined, receivedAt: Date.now(), secretId: 'main', secretIndex: 0, algorithm: 'sha256' },
    })
  const pruned = bytesOf({ ref: 'refs/heads/old', repository: { full_name: 'octo/app' } })
  expect(await again('pruned', pruned)).toMatchObject({ outcome: 'duplicate', conflict: false })
  expect(await again('done', await inbox.body(2))).toEqual({ id: 2, outcome: 'duplicate', conflict: false })
  expect(await again('dead', await inbox.body(4))).toEqual({ id: 4, outcome: 'rearmed', conflict: false })
  expect(await storeIn(inbox)).toBeGreaterThan(14)
})
