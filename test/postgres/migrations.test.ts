/** What a database of an older hookserver holds is there for the one of today. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { Hooks } from '../../src/index.ts'
import { Database } from '../../src/postgres/database.ts'
import { postgres } from '../../src/postgres/index.ts'
import { migrate, steps } from '../../src/postgres/migrations.ts'
import { resolvePostgresOptions } from '../../src/postgres/options.ts'
import { bytesOf } from '../inbox/fixtures.ts'
import { detailIn, eventually, storeIn } from '../inbox/stores.ts'
import { databases } from './databases.ts'

const server = databases('fsync=off')

/** What a database of a level has beside that of the level before, as its program left it. */
const fixture = (level: number) => readFileSync(new URL(`schemas/${level}.sql`, import.meta.url), 'utf8')

/** A database as the program of a level left it. @returns its URL. */
async function left(level: number): Promise<string> {
  const url = await server.create()
  const client = new pg.Client(url)
  await client.connect()
  for (let number = 1; number <= level; number++) await client.query(fixture(number))
  await client.end()
  return url
}

/** One that the first steps have made. @returns its URL. */
async function made(level: number): Promise<string> {
  const url = await server.create()
  await connect(url).transaction(async (session) => {
    await session.script('create schema hookserver')
    await migrate(session, steps.slice(0, level))
  })
  return url
}

function connect(url: string): Database {
  const database = new Database({ connectionString: url }, resolvePostgresOptions({}), { max: 1, name: 'test' })
  onTestFinished(() => database.close())
  return database
}

/** Nothing is too old for it, and it finds soon what has no job. */
function open(url: string): Inbox {
  const inbox = postgres(url, { heartbeat: 100, retention: Number.MAX_SAFE_INTEGER })
  onTestFinished(() => inbox.close())
  return inbox
}

/** All that the schema consists of, as PostgreSQL tells it. */
const shapeOf = (url: string) =>
  connect(url).all<{ kind: string; name: string; told: string }>(`
    select 'column' as kind, table_name || '.' || column_name as name,
           concat_ws(' ', ordinal_position, data_type, is_nullable, identity_generation, column_default, attstorage) as told
    from information_schema.columns
    join pg_attribute on attrelid = (table_schema || '.' || table_name)::regclass and attname = column_name
    where table_schema = 'hookserver'
    union all
    select 'index', indexname, indexdef from pg_indexes where schemaname = 'hookserver'
    union all
    select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'hookserver'::regnamespace
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

test.for([1])('the tables of level %i are those that its steps make', async (level) => {
  const [shape, expected] = [await shapeOf(await left(level)), await shapeOf(await made(level))]
  expect(shape).toEqual(expected)
  const kinds = new Set(shape.map(({ kind }) => kind))
  expect(kinds).toEqual(new Set(['column', 'constraint', 'function', 'index', 'sequence', 'trigger']))
})

test.for([1])('a database of level %i is brought to the newest, and has all that it held', async (level) => {
  const url = await left(level)
  const inbox = open(url)
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
  expect(await shapeOf(url)).toEqual(await shapeOf(await made(steps.length)))
  expect(await connect(url).all('select taken from levels order by taken')).toEqual(
    steps.map((_step, index) => ({ taken: index + 1 })),
  )
  for (const { id, guid, event } of deliveries) {
    const { headers } = await detailIn(inbox, id)
    expect(headers).toMatchObject({ 'x-github-delivery': guid, 'x-github-event': event })
  }
})

test.for([1])('what a database of level %i tells of itself can be read', async (level) => {
  const inbox = open(await left(level))
  const textOf = async (id: number) => Buffer.from((await inbox.body(id)) ?? []).toString()
  expect(JSON.parse(await textOf(4))).toEqual({
    ...{ action: 'opened', title: 'Überschrift', repository: { full_name: 'octo/app' } },
  })
  expect(await textOf(13)).toBe('payload=%7B%22ref%22%3A%22refs%2Fheads%2Fother%22%7D')
  expect(await detailIn(inbox, 13)).toMatchObject({ form: 'form', conflict: true, secretId: undefined })
  expect(await detailIn(inbox, 14)).toMatchObject({ recovered: true, editedFrom: 2 })
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
    gaps: { asked: 1 },
  })
  expect(await inbox.rejections()).toMatchObject({ counts: { bad_signature: 3 }, latest: [{ guid: 'refused' }] })
  expect(await inbox.getValue('ranges')).toContain('192.0.2.0/24')
  expect(await inbox.gaps()).toMatchObject([{ guid: 'missing', deliveryId: 12_345_678_901 }])
  expect(await inbox.createdAt()).toBe(Date.UTC(2025, 0, 15, 9, 29))
})

test.for([1])('what is unfinished in a database of level %i is handled, and nothing else', async (level) => {
  const inbox = open(await left(level))
  const hooks = new Hooks({ secret: 'unused', validateIp: false, logger: false, inbox })
  onTestFinished(() => hooks.close({ grace: 0 }))
  const handled: string[] = []
  for (const name of ['build', 'notify']) {
    hooks.on('*', (_data, guid, { attempt }) => void handled.push(`${name} ${guid} ${attempt}`), { name })
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

test.for([1])('what comes again is recognised by a database of level %i', async (level) => {
  const inbox = open(await left(level))
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
