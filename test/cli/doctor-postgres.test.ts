import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { checkTransactions } from '../../src/cli/doctor/postgres.ts'
import { startPooler } from '../postgres/connection/pooler.ts'
import { databaseServer } from '../postgres/databases.ts'
import { startPostgres } from '../postgres/server.ts'
import { project } from '../server/service.ts'
import { hookserver } from './command.ts'
import { runDoctor } from './run-doctor.ts'

const examined = databaseServer('max_connections=40')
const database = () => examined.create()

/** Connects as superuser. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** The findings about a database. */
async function findings(url: string, ...args: string[]) {
  const { of, code, output } = await runDoctor(project(), ['--database', url, ...args])
  expect(output).not.toMatch(/:(secret|wrong)@/)
  return { code, found: of('database') }
}

/** The address with another user, password, name, … */
const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href

test('a good database passes, before its tables are created and after', async () => {
  const url = await database()
  const shown = url.replace(':secret@', '@')
  const before = await findings(url)
  expect(before).toEqual({
    code: 0,
    found: [
      {
        what: 'database',
        state: 'fine',
        found: expect.stringMatching(/^postgres:\/\/hookserver@127.*: PostgreSQL \d+.*: the tables will be created$/),
      },
    ],
  })
  expect(before.found[0]?.found).toContain(shown)
  const unmade = await findings(url, '--database-migrate', 'false')
  expect(unmade).toMatchObject({ code: 1, found: [{ state: 'failed', cure: 'create them: hookserver migrate' }] })
  expect((await hookserver(['migrate', '--database', url])).code).toBe(0)
  for (const args of [[], ['--database-migrate', 'false']]) {
    const after = await findings(url, ...args)
    expect(after).toMatchObject({
      code: 0,
      found: [{ found: expect.stringContaining('0 unfinished deliveries, 0 dead') }],
    })
  }
})

test('does not migrate the tables of an older version', async () => {
  const url = await database()
  const client = await connect(url)
  const schema = readFileSync(new URL('../postgres/version-1-schema.sql', import.meta.url), 'utf8')
  await client.query('create schema hookserver; set search_path to hookserver')
  await client.query(schema)
  expect(await findings(url)).toMatchObject({
    code: 0,
    found: [{ state: 'fine', found: expect.stringMatching(/: the tables will be migrated to this version$/) }],
  })
  expect(await findings(url, '--database-migrate', 'false')).toMatchObject({
    code: 1,
    found: [{ state: 'failed', cure: expect.stringMatching(/hookserver migrate.* --database-migrate false$/) }],
  })
  expect((await client.query('select max(version) as version from schema_migrations')).rows).toEqual([{ version: 1 }])
})

test('accepts synchronous_commit = off, which the inbox overrides', async () => {
  const url = await database()
  const client = await connect(url)
  await client.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit to off`)
  expect(await findings(url)).toMatchObject({ code: 0, found: [{ state: 'fine' }] })
})

test('a password may come from PGPASSWORD', async () => {
  const url = changed(await database(), { password: '' })
  const { of } = await runDoctor(project(), ['--database', url], { env: { PGPASSWORD: 'secret' } })
  expect(of('database')).toMatchObject([{ state: 'fine' }])
})

describe('finds', () => {
  test.each<[what: string, change: Partial<URL>, found: RegExp, cure: RegExp]>([
    ['that nothing listens', { port: '9' }, /ECONNREFUSED/, /start PostgreSQL/],
    ['a wrong password', { password: 'wrong' }, /password authentication failed/, /--database-url-file/],
    ['that there is no password', { password: '' }, /password/, /PGPASSWORD/],
    ['that there is no such database', { pathname: '/nothing' }, /"nothing" does not exist/, /createdb/],
    ['that there is no TLS', { search: '?sslmode=require' }, /does not support SSL/, /sslmode/],
    ['that the host name does not exist', { hostname: 'db.invalid' }, /db\.invalid/, /host name/],
  ])('%s', async (_what, change, found, cure) => {
    expect(await findings(changed(examined.server.url, change))).toMatchObject({
      code: 1,
      found: [{ state: 'failed', found: expect.stringMatching(found), cure: expect.stringMatching(cure) }],
    })
  })

  test('a server that does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const silent = createServer(() => vi.advanceTimersByTime(5000)).listen(0, '127.0.0.1')
    onTestFinished(() => void silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    expect(await findings(changed(examined.server.url, { port: String(port), password: '' }))).toMatchObject({
      code: 1,
      found: [{ state: 'failed', cure: expect.stringContaining('firewall') }],
    })
  })

  test('a proxy that closes each connection, because it cannot reach PostgreSQL', async () => {
    const proxy = createServer((socket) => void socket.end()).listen(0, '127.0.0.1')
    onTestFinished(() => void proxy.close())
    await once(proxy, 'listening')
    const { port } = proxy.address() as AddressInfo
    expect(await findings(changed(examined.server.url, { port: String(port), password: '' }))).toMatchObject({
      code: 1,
      found: [{ state: 'failed', cure: expect.stringContaining('proxy') }],
    })
  })

  test('a user who may not create the missing schema', async () => {
    const url = await database()
    const admin = await connect(url)
    await admin.query(`create role guest login password 'secret' connection limit 20`)
    onTestFinished(async () => void (await admin.query('drop owned by guest; drop role guest')))
    const guest = changed(url, { username: 'guest' })
    const name = new URL(url).pathname.slice(1)
    expect(await findings(guest)).toMatchObject({
      code: 1,
      found: [
        {
          state: 'failed',
          found: expect.stringContaining('guest has no permission to create the schema hookserver'),
          cure: expect.stringContaining(`grant create on database "${name}" to "guest"`),
        },
      ],
    })
    await admin.query('create schema hookserver')
    const there = await findings(guest)
    expect(there.found[0]).toMatchObject({
      cure: expect.stringContaining('grant create on schema hookserver to "guest"'),
    })
    await admin.query(`drop schema hookserver; grant create on database "${name}" to guest`)
    expect(await findings(guest)).toMatchObject({ code: 0, found: [{ state: 'fine' }] })
    const many = await findings(guest, '--database-connections', '18')
    expect(many.found[1]).toMatchObject({ found: expect.stringMatching(/^20 connections .* may open 22$/) })
  })

  test('a user who may not insert deliveries', async () => {
    const url = await database()
    expect((await hookserver(['migrate', '--database', url])).code).toBe(0)
    const admin = await connect(url)
    await admin.query(`
      create role reader login password 'secret';
      grant usage on schema hookserver to reader;
      grant select, insert, update, delete on all tables in schema hookserver to reader;
      revoke insert on hookserver.deliveries from reader`)
    onTestFinished(async () => void (await admin.query('drop owned by reader; drop role reader')))
    expect(await findings(changed(url, { username: 'reader' }), '--database-migrate', 'false')).toMatchObject({
      code: 1,
      found: [{ state: 'failed', found: expect.stringMatching(/cannot store deliveries: permission denied/) }],
    })
  })

  test('that hookserver may open more connections than PostgreSQL allows, depending on its role', async () => {
    const url = await database()
    const needs = async (...args: string[]) => (await findings(url, ...args)).found.map(({ state }) => state)
    const warning = await findings(url, '--database-connections', '60')
    expect(warning.found[1]).toMatchObject({
      state: 'warning',
      found: expect.stringMatching(/\(max_connections is 40\), but a server may open 64$/),
      cure: expect.stringContaining('--database-connections'),
    })
    expect(await needs('--database-connections', '37')).toEqual(['fine', 'warning'])
    expect(await needs('--database-connections', '30', '--role', 'receiver')).toEqual(['fine'])
  })

  test('a pooler that reassigns its connections', async () => {
    const pooled = await startPooler(await database())
    expect(await findings(pooled)).toMatchObject({
      code: 1,
      found: [{ state: 'failed', found: expect.stringContaining('pooler'), cure: expect.stringContaining('session') }],
    })
  })

  test('a clock that differs from that of the database', async () => {
    const file = join(project(), 'shift')
    writeFileSync(file, '-5000')
    const shifting = fileURLToPath(new URL('../kill/faults/shifted-clock.ts', import.meta.url))
    const { of } = await runDoctor(project(), ['--database', await database()], {
      env: { SHIFT: file },
      node: ['--import', shifting],
    })
    expect(of('clock')[0]).toMatchObject({
      state: 'warning',
      found: expect.stringMatching(/^5\.\d s behind the database's$/),
      cure: expect.stringContaining('NTP'),
    })
  })

  test('a transaction that keeps deleted rows from being vacuumed', async () => {
    const url = await database()
    const [client, other] = [await connect(url), await connect(`${url}?application_name=report`)]
    const found = async () => {
      const all = []
      for await (const finding of checkTransactions(client, 0)) all.push(finding)
      return all
    }
    await other.query('begin')
    await other.query('select 1')
    expect(await found()).toEqual([]) // a read does not hold back vacuum
    await other.query('select pg_current_xact_id()')
    expect(await found()).toMatchObject([
      {
        state: 'warning',
        found: expect.stringMatching(/^a transaction of report has been open for \d/),
        cure: expect.stringContaining('pg_terminate_backend'),
      },
    ])
  })
})

test('finds that the server does not flush commits', async () => {
  const careless = await startPostgres('fsync=off', 'full_page_writes=off')
  onTestFinished(() => careless.stop())
  const { code, found } = await findings(careless.url)
  expect(code).toBe(0)
  expect(found[1]).toMatchObject({
    state: 'warning',
    found: expect.stringMatching(/^fsync and full_page_writes are off: a power failure can lose/),
    cure: expect.stringContaining('alter system set fsync to on'),
  })
})
