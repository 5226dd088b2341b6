import { once } from 'node:events'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { postgres } from '../../src/postgres/index.ts'
import { type PostgresOptions, resolvePostgresOptions, toPgConfig, toTarget } from '../../src/postgres/options.ts'
import { MaintenanceClient } from '../../src/postgres/threads.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { eventually, stateIn } from '../inbox/stores.ts'
import { databases } from './databases.ts'

const server = databases()
const secret = 'a secret of the tests'

describe('the options of postgres()', () => {
  test('have defaults, also if they are undefined', () => {
    expect(resolvePostgresOptions({ connections: undefined })).toEqual({
      schema: 'hookserver',
      connections: 10,
      migrate: true,
      maintenance: true,
      connectTimeout: 5000,
      statementTimeout: 30_000,
      retention: 2_592_000_000,
      heartbeat: 2500,
      vanishAfter: 86_400_000,
      auditRetention: 31_536_000_000,
      auditEntries: 100_000,
    })
  })

  test.each<[string, PostgresOptions, string]>([
    ['an unknown name', { schemas: 'x' } as never, 'postgres: unknown option "schemas". Did you mean "schema"?'],
    [
      'too few connections',
      { connections: 2 },
      '"connections" must be a whole number of connections, 3 at least and 1000',
    ],
    [
      'a fraction',
      { retention: 1.5 },
      '"retention" must be a whole number of milliseconds, 1 at least, or a text such as \'30s\', got 1.5',
    ],
    ['a heartbeat that is too slow', { heartbeat: 60_001 }, "1 to 60000, or a text such as '30s', got 60001"],
    ['text instead of a boolean', { migrate: 'yes' as never }, '"migrate" must be one of true, false, got "yes"'],
    ['a number instead of a boolean', { maintenance: 0 as never }, '"maintenance" must be one of true, false, got 0'],
    [
      'a schema that would have to be quoted',
      { schema: 'a"; drop table' },
      '"schema" must be a name of at most 50 lower-case letters',
    ],
    ['a schema name that is too long', { schema: 's'.repeat(51) }, 'at most 50'],
  ])('are rejected with the reason: %s', (_name, options, message) => {
    expect(() => postgres('postgres://localhost/x', options)).toThrow(TypeError)
    expect(() => postgres('postgres://localhost/x', options)).toThrow(message)
  })
})

describe('the target of postgres()', () => {
  test('may be a URL', () => {
    for (const url of ['postgres://a:b@c/d?sslmode=require', 'postgresql://c/d']) {
      expect(toTarget(url)).toEqual({ connectionString: url })
    }
  })

  test('may be a pool, and its settings are used', () => {
    const options = { host: 'h', port: 5433, user: 'u', password: 'p', database: 'd', ssl: false, max: 3 }
    expect(toTarget({ options })).toEqual({
      ...{ connectionString: undefined, host: 'h', port: 5433, user: 'u', password: 'p', database: 'd', ssl: false },
    })
  })

  test.each([
    ['a file', 'hookserver.db'],
    ['nothing', undefined],
    ['no pool', {}],
    ['an empty text', ''],
  ])('is rejected if it is neither a URL nor a pool: %s', (_name, target) => {
    expect(() => postgres(target as never)).toThrow(/^postgres\(target\): expected postgres:\/\//)
  })

  test.each([
    'jdbc:postgres://me:hidden@db.example/hooks',
    '"postgres://me:hidden@db.example/hooks"',
    ' postgres://me:hidden@db.example/hooks',
    'postgres://me:hidden@db.example/hooks\n',
    'postgres://me:1234/hidden@db.example/hooks',
    'postgres://me:1234#hidden@db.example/hooks',
    'postgres://me:100%hidden@db.example/hooks',
  ])('is rejected if it is a malformed URL, and the error shows no part of it: %j', (target) => {
    expect(() => toTarget(target)).toThrow(
      /^postgres\(target\): expected postgres:\/\/((?!hidden|1234|db\.example).)*$/,
    )
  })

  test('may be a pool with a TLS key, which the thread and each connection get', () => {
    const ssl = { ca: 'c', cert: 'd', key: 'k' }
    new pg.Pool({ ssl }) // makes the key non-enumerable
    const target = structuredClone(toTarget({ options: { ssl } }))
    expect(target.ssl).toEqual({ ca: 'c', cert: 'd', key: 'k' })
    for (let time = 0; time < 2; time++) {
      const { options } = new pg.Pool(toPgConfig(target)) as unknown as { options: { ssl: { key: string } } }
      expect(options.ssl.key).toBe('k')
      expect(structuredClone(target).ssl).toHaveProperty('key', 'k')
    }
    expect(() => toTarget({ options: { ssl: { checkServerIdentity: () => undefined } } })).toThrow(
      'the option ssl.checkServerIdentity of the pool is a function',
    )
  })

  test('cannot be a pool with a function as its password, because no function can be sent to a thread', () => {
    expect(() => toTarget({ options: { password: () => 'p' } })).toThrow(
      'the option password of the pool is a function',
    )
  })
})

test('stores and handles deliveries while the application uses all connections of its pool', async () => {
  const pool = new pg.Pool({ connectionString: await server.create(), max: 1 })
  const taken = await pool.connect()
  onTestFinished(async () => {
    const ended = once(taken, 'end') // `pool.end()` does not wait for the end of this client
    taken.release(true)
    await Promise.all([ended, pool.end()])
  })
  const inbox = postgres(pool)
  const hooks = new Hooks({ secret, validateIp: false, logger: false, inbox })
  onTestFinished(() => hooks.close({ grace: 0 }))
  const handled: string[] = []
  hooks.hook('push', (_data, guid) => void handled.push(guid))
  const guids = ['one', 'two', 'three']
  const answers = await Promise.all(guids.map((guid) => inject(hooks, signedRequest('push', { secret, guid }))))
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
  await eventually(async () => {
    expect(await Promise.all([1, 2, 3].map((id) => stateIn(inbox, id)))).toEqual(['done', 'done', 'done'])
  })
  expect(handled.toSorted()).toEqual(guids.toSorted())
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 0, 0])
})

test.each([true, false])(
  'a process that only stores deliveries starts a thread with maintenance: %s',
  async (maintenance) => {
    const start = vi.spyOn(MaintenanceClient.prototype, 'start')
    onTestFinished(() => start.mockRestore())
    const inbox = postgres(await server.create(), { maintenance })
    const hooks = new Hooks({ secret, validateIp: false, logger: false, inbox, work: false })
    onTestFinished(() => hooks.close())
    expect((await inject(hooks, signedRequest('push', { secret }))).status).toBe(202)
    expect(start).toHaveBeenCalledTimes(maintenance ? 1 : 0)
    hooks.on('push', () => {})
    expect(await hooks.drain()).toEqual({ nextAt: undefined })
    expect(start).toHaveBeenCalled() // a worker needs heartbeats
  },
)
