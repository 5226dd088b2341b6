/** Checks that the OpenAPI description matches the routes: it must describe every answer to a real call. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GitHubStatus } from '../../../src/github/github-status.ts'
import type { Recovery } from '../../../src/github/recovery/recovery.ts'
import { Hooks } from '../../../src/hooks.ts'
import type { Measure } from '../../../src/inbox/counts.ts'
import { failureOf } from '../../../src/inbox/task-failure.ts'
import { failed, fine } from '../../../src/runtime/finding.ts'
import { updateSchedules } from '../../../src/schedules/stored-schedules.ts'
import { problems } from '../../../src/server/problem.ts'
import { storeIn } from '../../inbox/stores.ts'
import { type Admin, type Answered, openAdmin, type RequestSpec, readOnlyToken, token } from '../administered.ts'
import { handle } from './handled.ts'

interface Described {
  parameters?: { name: string; in: string }[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: object } } }
  responses: Record<string, { content?: Record<string, { schema?: object }> }>
  operationId: string
  security?: unknown[]
}

let admin: Admin
let paths: Record<string, Record<string, Described>>
let ajv: Ajv2020

const counts = { missed: 0, requested: 1, received: 0, expired: 0, unrecorded: 0 }
const swept = {
  reports: [
    { target: 'acme/shop', hookId: '7', from: 1, sent: 3, unhandled: 1, counts, fetched: 1, calls: 2 },
    { target: 'acme', sent: 0, unhandled: 0, counts, fetched: 0, calls: 0, error: 'no' },
  ],
  missedDeliveries: [
    {
      ...{ hookId: '7', guid: 'g', target: 'acme/shop', event: 'push', deliveryId: '7', deliveredAt: 1, requests: 0 },
      ...{ status: 'timed out', state: 'missed', expiresAt: 2, action: undefined, requestedAt: undefined },
    },
  ],
}

const gitHubStatus: GitHubStatus = {
  checkedAt: 1,
  webhooks: [
    {
      ...{ name: 'acme/shop#7', url: 'https://hooks.example/hooks', events: ['push'] },
      findings: [failed('active', 'no', 'activate it'), fine('content', 'application/json')],
      newest: [
        { guid: 'g', deliveredAt: 1, event: 'issues', action: 'opened', status: 'OK', ok: true },
        { guid: 'h', deliveredAt: 1, event: 'push', action: undefined, status: 'timed out', ok: false },
      ],
    },
    { name: 'acme', events: [], findings: [], newest: [] },
  ],
  app: {
    ...{ name: 'Shop bot', page: 'https://github.com/apps/shop-bot', settings: 'https://github.com/settings/apps/bot' },
    ...{ permissions: { issues: 'write' }, events: ['push'], findings: [] },
    installations: [
      {
        ...{ id: '7', account: 'acme', coversAll: true, permissions: { issues: 'read' }, events: ['push'] },
        ...{ isSuspended: false, page: 'https://github.com/settings/installations/7' },
      },
    ],
  },
  problems: [{ target: 'acme/gone', problem: 'GitHub shows no webhooks' }],
}

beforeAll(async () => {
  const hooks = new Hooks({ secret: 's' })
  hooks.on('push', { name: 'deploy', order: 'repository' }, () => undefined)
  const recovery = { sweep: async () => swept } as unknown as Recovery
  admin = await openAdmin({
    ...{ hooks, recovery, receiver: hooks.mount(), role: 'all', atTheEnd: afterAll },
    gitHubStatus: async () => gitHubStatus,
  })
  const { inbox } = admin
  const facts = { action: 'a', repository: 'r', sender: 's', title: 't', ref: 'r', sha: 's', number: 1 }
  const told = { error: 'e', result: 'r', log: 'l' }
  for (const outcome of ['failed', 'running', 'dead', 'succeeded', 'ignored'] as const) {
    const known = { address: '::1', secretId: 'i', headers: { a: 'b' } }
    const id = await storeIn(inbox, { outcome }, outcome === 'failed' ? known : {})
    await handle(inbox, id, { outcome, ...(outcome === 'failed' && { facts, more: told }) })
  }
  const stale = { time: '0 3 * * *', timezone: 'UTC', each: 'repository', missed: 'skip', next: 2 } as const
  await updateSchedules(inbox, (all) => void all.set('stale', { ...stale, handledUntil: 1 }))
  const unknown = { reason: undefined, address: undefined, event: undefined, guid: undefined }
  const rejection = { at: 1, code: 'not_found', status: 404, source: '/hooks', headers: { a: 'b' } }
  const known = { reason: 'r', address: '::1', event: 'push', guid: 'g' }
  await inbox.recordRejections([
    { ...rejection, ...unknown },
    { ...rejection, ...known },
  ])
  const counts = { received: 'push', attempts: 'deploy', rejected: 'not_found', secrets: '1', answers: '1.5' }
  for (const [measure, name] of Object.entries(counts) as [Measure, string][]) {
    await inbox.addCounts([{ at: Date.now(), measure, name, outcome: 'failed', count: 1 }])
  }
  const missed = {
    hookId: '7',
    guid: 'g',
    target: 'acme/shop',
    event: 'push',
    deliveryId: '7',
    deliveredAt: 1,
    requests: 1,
  }
  const more = { status: 'timed out', state: 'requested', expiresAt: Date.now() } as const
  await inbox.saveMissedDeliveries([
    { ...missed, ...more, action: 'opened', requestedAt: 5 },
    { ...missed, ...more, guid: 'h', action: undefined, requestedAt: undefined },
  ])
  await inbox.heartbeat({ id: 'p', role: 'worker', version: '1.2.3', startedAt: 1 })
  await inbox.setValue(
    'recovery',
    JSON.stringify({ at: 1, reports: swept.reports.map((report) => ({ ...report, at: 1 })) }),
  )
  const { json } = await admin.get('/api/v1/openapi.json')
  paths = json.paths
  ajv = new Ajv2020({ allErrors: true, strictTypes: false })
  ajv.addSchema({ $id: 'api', components: closed(json.components) })
  ajv.addVocabulary(['components'])
})

/** The schemas without unknown members. Clients must accept such members, but the server has no reason to send any. */
function closed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(closed)
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]))
  return { ...members, ...('properties' in value && 'required' in value && { additionalProperties: false }) }
}

interface Meant {
  $ref?: string
  description?: string
}

/** The paths of the parameters and members that have no description, and refer to no schema that has one. */
function withoutMeaning(value: unknown, schemas: Record<string, Meant>, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { properties = {}, parameters = [] } = value as Record<string, Record<string, Meant> | undefined>
  const described = [...Object.entries(properties), ...Object.entries(parameters)]
  const hasMeaning = ({ $ref, description = schemas[$ref?.split('/').at(-1) ?? '']?.description }: Meant) => description
  return [
    ...described.flatMap(([name, one]) => (hasMeaning(one) ? [] : [`${path}: ${name}`])),
    ...Object.entries(value).flatMap(([name, inner]) => withoutMeaning(inner, schemas, `${path}/${name}`)),
  ]
}

/** Checks a value against a schema of the description. The schema may refer to others. */
const isValid = (schema: object, value: unknown): true | unknown => {
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components'))
  const validate = ajv.compile(absolute)
  return validate(value) || validate.errors
}

/** Calls a path, and checks the answer against its description. */
async function call(method: string, path: string, query: string, asked: RequestSpec = {}): Promise<Answered> {
  const answered = await admin.ask(query, { ...asked, method: method.toUpperCase() })
  const described = paths[path]?.[method]?.responses[answered.status]
  expect(described, `${method} ${path}: ${answered.status}`).toBeDefined()
  const type = answered.headers['content-type'] ?? ''
  const content = described?.content ?? {}
  expect(Object.keys(content), `${method} ${path}`).toEqual(type === '' ? [] : [type])
  const schema = content[type]?.schema
  if (schema) expect(isValid(schema, answered.json), `${method} ${path}`).toBe(true)
  return answered
}

/** The failure group of the delivery that is dead. */
const group = failureOf({ handler: 'deploy', outcome: 'dead', startedAt: 0 })?.id

/** Calls of each operation, with the status that each must have. */
const calls: Record<string, [status: number, query: string, asked?: RequestSpec][]> = {
  'get /api/v1/deliveries': [
    [200, '/api/v1/deliveries'],
    [200, '/api/v1/deliveries?limit=1'],
    [400, '/api/v1/deliveries?limit=0'],
    [401, '/api/v1/deliveries', { headers: { authorization: undefined } }],
    [403, '/api/v1/deliveries', { headers: { host: 'evil.example' } }],
  ],
  'post /api/v1/deliveries': [
    [201, '/api/v1/deliveries', { body: { event: 'push', payload: {}, editedFrom: 1 } }],
    [201, '/api/v1/deliveries', { body: { event: 'push', text: '{}', guid: 'one' } }],
    [200, '/api/v1/deliveries', { body: { event: 'push', text: '{}', guid: 'one' } }],
    [409, '/api/v1/deliveries', { body: { event: 'ping', text: '{}', guid: 'one' } }],
    [404, '/api/v1/deliveries', { body: { event: 'push', payload: {}, editedFrom: 99 } }],
    [400, '/api/v1/deliveries', { body: { event: 'a b', payload: {} } }],
  ],
  'get /api/v1/deliveries/{id}': [
    ...[1, 2, 3, 4, 5].map((id): [number, string] => [200, `/api/v1/deliveries/${id}`]),
    [404, '/api/v1/deliveries/99'],
  ],
  'get /api/v1/deliveries/{id}/body': [
    [200, '/api/v1/deliveries/1/body'],
    [404, '/api/v1/deliveries/99/body'],
  ],
  'post /api/v1/deliveries/{id}/retry': [
    [200, '/api/v1/deliveries/3/retry'],
    [404, '/api/v1/deliveries/99/retry'],
    [409, '/api/v1/deliveries/2/retry'],
    [400, '/api/v1/deliveries/3/retry', { body: { x: 1 } }],
    [413, '/api/v1/deliveries/3/retry', { body: 'x'.repeat(2 ** 20 + 1) }],
    [415, '/api/v1/deliveries/3/retry', { body: 'x', headers: { 'content-type': 'text/plain' } }],
  ],
  'post /api/v1/deliveries/{id}/discard': [
    [200, '/api/v1/deliveries/1/discard', { body: { reason: 'r' } }],
    [409, '/api/v1/deliveries/4/discard'],
    [404, '/api/v1/deliveries/99/discard'],
  ],
  'post /api/v1/deliveries/{id}/signature': [
    [200, '/api/v1/deliveries/1/signature'],
    [404, '/api/v1/deliveries/99/signature'],
    [400, '/api/v1/deliveries/1/signature', { body: { secret: 's' } }],
  ],
  'post /api/v1/deliveries/retry': [
    [200, '/api/v1/deliveries/retry', { body: { ids: [5], dryRun: true } }],
    [400, '/api/v1/deliveries/retry', { body: {} }],
  ],
  'post /api/v1/deliveries/discard': [
    [200, '/api/v1/deliveries/discard', { body: { query: { state: 'dead', since: '2h', number: 7 }, reason: 'r' } }],
    [400, '/api/v1/deliveries/discard', { body: { query: { state: 'x' } } }],
  ],
  'get /api/v1/failures': [
    [200, '/api/v1/failures'],
    [200, '/api/v1/failures?limit=1'],
    [400, '/api/v1/failures?limit=x'],
  ],
  'get /api/v1/failures/{id}': [
    [200, `/api/v1/failures/${group}`],
    [404, '/api/v1/failures/7'],
  ],
  'post /api/v1/failures/{id}/retry': [
    [200, `/api/v1/failures/${group}/retry`, { body: { dryRun: true } }],
    [404, '/api/v1/failures/7/retry'],
    [400, `/api/v1/failures/${group}/retry`, { body: { reason: 'r' } }],
  ],
  'post /api/v1/failures/{id}/discard': [
    [200, `/api/v1/failures/${group}/discard`, { body: { reason: 'r', dryRun: false } }],
    [404, '/api/v1/failures/7/discard'],
  ],
  'get /api/v1/schedules': [[200, '/api/v1/schedules']],
  'post /api/v1/schedules/{name}/run': [
    [201, '/api/v1/schedules/stale/run'],
    [404, '/api/v1/schedules/unknown/run'],
    [403, '/api/v1/schedules/stale/run', { headers: { authorization: `Bearer ${readOnlyToken}` } }],
  ],
  'get /api/v1/handlers': [
    [200, '/api/v1/handlers'],
    [400, '/api/v1/handlers?window=1y'],
  ],
  'get /api/v1/handlers/{name}': [
    [200, '/api/v1/handlers/deploy?window=24h'],
    [404, '/api/v1/handlers/unknown'],
  ],
  'get /api/v1/histogram': [
    [200, '/api/v1/histogram?since=2h'],
    [400, '/api/v1/histogram?since=x'],
  ],
  'post /api/v1/handlers/{name}/pause': [
    [200, '/api/v1/handlers/deploy/pause'],
    [404, '/api/v1/handlers/unknown/pause'],
    [403, '/api/v1/handlers/deploy/pause', { headers: { authorization: `Bearer ${readOnlyToken}` } }],
  ],
  'post /api/v1/handlers/{name}/resume': [
    [200, '/api/v1/handlers/deploy/resume'],
    [400, '/api/v1/handlers/deploy/resume', { body: { handler: 1 } }],
  ],
  'post /api/v1/handlers/pause': [[200, '/api/v1/handlers/pause', { body: { all: true } }]],
  'post /api/v1/handlers/resume': [
    [200, '/api/v1/handlers/resume', { body: { all: true } }],
    [400, '/api/v1/handlers/resume'],
  ],
  'get /api/v1/recovery': [[200, '/api/v1/recovery']],
  'get /api/v1/github': [[200, '/api/v1/github']],
  'get /api/v1/github/limits': [[200, '/api/v1/github/limits']],
  'post /api/v1/recovery/sweeps': [
    [200, '/api/v1/recovery/sweeps'],
    [200, '/api/v1/recovery/sweeps', { body: { dryRun: true, thorough: false } }],
    [400, '/api/v1/recovery/sweeps', { body: { dryRun: 'yes' } }],
  ],
  'get /api/v1/audit': [
    [200, '/api/v1/audit'],
    [200, '/api/v1/audit?limit=1&access=token&action=retry&person=octocat'],
    [400, '/api/v1/audit?action=x'],
  ],
  'get /api/v1/processes': [[200, '/api/v1/processes']],
  'get /api/v1/values': [
    [200, '/api/v1/values?column=repository'],
    [200, '/api/v1/values?column=handler&prefix=&limit=1'],
    [400, '/api/v1/values'],
    [400, '/api/v1/values?column=title'],
  ],
  'get /api/v1/rejections': [[200, '/api/v1/rejections']],
  'get /api/v1/stats': [
    [200, '/api/v1/stats'],
    [200, '/api/v1/stats?window=7d'],
    [400, '/api/v1/stats?window=2h'],
  ],
  'get /api/v1/stream': [
    [200, '/api/v1/stream'],
    [200, '/api/v1/stream', { headers: { 'last-event-id': '1' } }],
  ],
  'get /api/v1/samples': [[200, '/api/v1/samples']],
  'get /api/v1/samples/{event}': [
    [200, '/api/v1/samples/issues.opened'],
    [404, '/api/v1/samples/nothing'],
  ],
  'get /api/v1/openapi.json': [[200, '/api/v1/openapi.json']],
  'get /api/v1/session': [
    [200, '/api/v1/session'],
    [401, '/api/v1/session', { headers: { authorization: undefined } }],
  ],
  'get /api/v1/session/methods': [[200, '/api/v1/session/methods', { headers: { authorization: undefined } }]],
  'delete /api/v1/session': [[204, '/api/v1/session']],
  'post /api/v1/session': [
    [204, '/api/v1/session', { body: { token } }],
    [400, '/api/v1/session', { body: {} }],
    [401, '/api/v1/session', { body: { token: 'wrong' } }],
  ],
}

describe('the description', () => {
  test('has exactly the operations that are called here', () => {
    const described = Object.entries(paths).flatMap(([path, of]) =>
      Object.keys(of).map((method) => `${method} ${path}`),
    )
    expect(described.toSorted()).toEqual(Object.keys(calls).toSorted())
  })

  test.each(Object.entries(calls))('matches the answers of %s', async (name, list) => {
    const [method = '', path = ''] = name.split(' ')
    for (const [status, query, asked] of list) {
      expect((await call(method, path, query, asked)).status, query).toBe(status)
      const schema = paths[path]?.[method]?.requestBody?.content['application/json'].schema
      if (schema && status < 300) expect(isValid(schema, asked?.body ?? {}), query).toBe(true)
    }
  })

  test('names each parameter of a path', () => {
    for (const [path, methods] of Object.entries(paths)) {
      const expected = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const { parameters = [] } of Object.values(methods)) {
        expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(expected)
      }
    }
  })

  test('gives each operation a unique id, and requires a token for all but the login', () => {
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    expect(operations.filter(({ security }) => security?.length === 0).map(({ operationId }) => operationId)).toEqual([
      'logIn',
      'getLoginMethods',
    ])
  })

  test('describes requests as strictly as they are checked', () => {
    const schema = paths['/api/v1/deliveries/discard']?.post?.requestBody?.content['application/json'].schema ?? {}
    for (const body of [
      {},
      { ids: [1], query: {} },
      { ids: [] },
      { query: { color: 'red' } },
      { query: {}, dryrun: true },
    ]) {
      expect(isValid(schema, body), JSON.stringify(body)).not.toBe(true)
    }
  })

  test('lists every problem', async () => {
    const { json } = await admin.get('/api/v1/openapi.json')
    expect(json.components.schemas.Problem.properties.code.enum).toEqual(Object.keys(problems))
  })

  test('gives the meaning of each parameter and each member', async () => {
    const { json } = await admin.get('/api/v1/openapi.json')
    expect(withoutMeaning(json, json.components.schemas)).toEqual([])
  })

  test('refers only to existing schemas', async () => {
    const { json } = await admin.get('/api/v1/openapi.json')
    const referred = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    expect([...new Set(referred)].toSorted()).toEqual(Object.keys(json.components.schemas).toSorted())
  })
})

describe('docs/api.md', () => {
  const page = readFileSync('docs/api.md', 'utf8')

  test('has a section with an example for exactly these operations', () => {
    const sections = page.split(/^## (?=(?:GET|POST|DELETE) )/m).slice(1)
    const headings = sections.map((section) =>
      section.split('\n', 1)[0]?.replace(/^\w+/, (method) => method.toLowerCase()),
    )
    expect(headings.toSorted()).toEqual(Object.keys(calls).toSorted())
    for (const section of sections) expect(section).toMatch(/^```sh\ncurl /m)
  })

  test('lists every problem with its status, and every filter', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, Number(status)])
    expect(Object.fromEntries(rows)).toEqual(problems)
    const cells = [...page.matchAll(/^\| (`\w+`(?:, `\w+`)*) \| [^\d]/gm)].flatMap(([, names = '']) =>
      names.match(/\w+/g),
    )
    const described = paths['/api/v1/deliveries']?.get?.parameters?.map(({ name }) => name)
    expect(cells.toSorted()).toEqual(described?.toSorted())
  })
})
