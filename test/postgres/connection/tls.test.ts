/** Connections of the process and of its thread over TLS. */
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../../src/inbox/inbox.ts'
import { type PoolLike, postgres } from '../../../src/postgres/index.ts'
import { cureOf, isTemporary } from '../../../src/server/database-errors.ts'
import { eventually, storeIn } from '../../inbox/stores.ts'
import { databaseServer } from '../databases.ts'
import { type Certified, certifyBy, makeAuthority } from './certificates.ts'

const server = databaseServer('fsync=off')
const folder = mkdtempSync(join(tmpdir(), 'hookserver-tls-'))
let onlooker: pg.Client
let ours: Certified
let client: Certified

beforeAll(async () => {
  ours = await makeAuthority('ours')
  const theirs = await makeAuthority('theirs')
  client = await certifyBy(ours, 'hookserver')
  for (const [name, text] of Object.entries({ ours: ours.cert, theirs: theirs.cert, ...client })) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  onlooker = new pg.Client(server.server.url)
  await onlooker.connect()
  await turnOn(await certifyBy(ours, 'localhost'))
})

afterAll(async () => {
  await onlooker.end()
  rmSync(folder, { recursive: true })
})

/** Turns TLS on. Only the server can read the files, because PostgreSQL rejects a key that others can read. */
async function turnOn({ cert, key }: Certified): Promise<void> {
  const { data_directory: data } = (await onlooker.query('show data_directory')).rows[0]
  const { uid, gid } = statSync(data)
  for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key, 'clients.crt': ours.cert })) {
    writeFileSync(join(data, name), text, { mode: 0o600 })
    chownSync(join(data, name), uid, gid)
  }
  await onlooker.query(`alter system set ssl_ca_file = 'clients.crt'`)
  await onlooker.query('alter system set ssl = on')
  await onlooker.query('select pg_reload_conf()')
  await eventually(async () => expect((await onlooker.query('show ssl')).rows).toEqual([{ ssl: 'on' }]))
}

/** @param asked The TLS parameters of the URL, with names of files. */
function address(url: string, asked: Record<string, string>, host = 'localhost'): string {
  const changed = Object.assign(new URL(url), { hostname: host })
  for (const [name, value] of Object.entries(asked)) {
    changed.searchParams.set(name, name === 'sslmode' ? value : join(folder, value))
  }
  return changed.href
}

function open(target: string | PoolLike): Store {
  const inbox = postgres(target, { heartbeat: '50ms', connectTimeout: 20_000 })
  onTestFinished(() => inbox.close())
  return inbox
}

interface Seen {
  name: string
  ssl: boolean
  /** The distinguished name of the client's certificate. */
  dn: string | null
}

/**
 * Waits until the inbox has a connection for each of `purposes`, and until its maintenance thread has sent heartbeats.
 * @returns the connections.
 */
async function connectionsOf(inbox: Store, url: string): Promise<Seen[]> {
  await inbox.registerWorker([{ name: 'a', backoff: 1000 }], () => undefined)
  await storeIn(inbox)
  let seen: Seen[] = []
  await eventually(async () => {
    seen = (await onlooker.query(selectConnections, [new URL(url).pathname.slice(1)])).rows
    expect(new Set(seen.map(({ name }) => name))).toEqual(new Set(purposes))
  })
  const looks = new pg.Client(url)
  await looks.connect()
  onTestFinished(() => looks.end())
  await eventually(async () => {
    const { rows } = await looks.query('select heartbeats::int from hookserver.workers')
    expect(rows[0].heartbeats).toBeGreaterThan(2)
  })
  return seen
}

const purposes = ['heartbeat', 'listener', 'maintenance', 'receiver', 'worker'].map((name) => `hookserver ${name}`)

const selectConnections = `
  select application_name as name, ssl, client_dn as dn
  from pg_stat_activity join pg_stat_ssl using (pid)
  where datname = $1 and application_name like 'hookserver %'`

describe('a URL', () => {
  test('with the certificate authority encrypts all connections', async () => {
    const url = await server.create()
    const inbox = open(address(url, { sslmode: 'verify-full', sslrootcert: 'ours' }))
    for (const { ssl } of await connectionsOf(inbox, url)) expect(ssl).toBe(true)
  })

  test('can contain a client certificate', async () => {
    const url = await server.create()
    const files = { sslmode: 'verify-full', sslrootcert: 'ours', sslcert: 'cert', sslkey: 'key' }
    for (const { dn } of await connectionsOf(open(address(url, files)), url)) expect(dn).toBe('/CN=hookserver')
  })

  test.each([
    [
      'another authority',
      { sslrootcert: 'theirs' },
      'localhost',
      'self-signed certificate in certificate chain',
      'sslrootcert=/path/ca.pem',
    ],
    ['no authority', {}, 'localhost', 'self-signed certificate in certificate chain', 'sslrootcert=/path/ca.pem'],
    [
      'a host other than that of the certificate',
      { sslrootcert: 'ours' },
      '127.0.0.1',
      "does not match certificate's altnames",
      'its certificate is for another host name',
    ],
    ['a file that is not there', { sslrootcert: 'nowhere' }, 'localhost', 'no such file', 'correct the path'],
  ])('that names %s is rejected, and the error names the fix', async (_what, files, host, reason, cure) => {
    const inbox = open(address(await server.create(), { sslmode: 'verify-full', ...files }, host))
    const rejected = await storeIn(inbox).catch((error: Error) => error)
    expect(rejected).toMatchObject({ message: expect.stringMatching(/^Cannot open the inbox in PostgreSQL: /) })
    expect(rejected).toMatchObject({ message: expect.stringContaining(reason) })
    expect([cureOf(rejected), isTemporary(rejected)]).toEqual([expect.stringContaining(cure), false])
  })
})

describe('a pool', () => {
  const poolOf = (url: string, host: string, ssl: object) => {
    const pool = new pg.Pool({ connectionString: address(url, {}, host), ssl })
    onTestFinished(() => pool.end())
    return pool
  }

  test.each([
    ['the certificate authority', 'localhost', {}],
    ['the name in the certificate, for a host that is an IP address', '127.0.0.1', { servername: 'localhost' }],
  ])('can have %s', async (_what, host, more) => {
    const url = await server.create()
    const inbox = open(poolOf(url, host, { ca: ours.cert, ...more }))
    for (const { ssl } of await connectionsOf(inbox, url)) expect(ssl).toBe(true)
  })

  test('can have a client certificate, which the thread also uses', async () => {
    const url = await server.create()
    const inbox = open(poolOf(url, 'localhost', { ca: ours.cert, ...client }))
    for (const { dn } of await connectionsOf(inbox, url)) expect(dn).toBe('/CN=hookserver')
  })
})
