/** Runs the recipes whose inbox is in PostgreSQL, with a worker in another process: that of the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { LambdaEvent, LambdaResult } from '../../src/adapters/lambda.ts'
import { Hooks } from '../../src/index.ts'
import { migratePostgres, postgres } from '../../src/postgres/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { compileCache } from '../compile-cache.ts'
import { databases } from '../postgres/databases.ts'
import { startServer } from './start-server.ts'

const server = databases()
const secret = 'the secret of the recipes'
const examples = fileURLToPath(new URL('../../examples/cookbook/', import.meta.url))

/** Calls the function once for each line of its input, and prints each result. */
const runtime = `
import { createInterface } from 'node:readline'
const { handler } = await import('./lambda-postgres.ts')
for await (const line of createInterface(process.stdin)) console.log(JSON.stringify(await handler(JSON.parse(line))))`

/** A Lambda function whose process runs only during an invocation. */
class FrozenFunction {
  readonly #child: ChildProcess
  readonly #results: AsyncIterator<string>

  constructor(database: string) {
    const env = { GITHUB_WEBHOOKS_KEY: secret, HOOK_RANGES: '127.0.0.1', DATABASE_URL: database }
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', runtime], {
      cwd: examples,
      env: { PATH: process.env.PATH, ...compileCache, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#results = createInterface(this.#child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]()
    onTestFinished(async () => {
      this.#child.kill('SIGKILL')
      await once(this.#child, 'exit')
    })
  }

  async invoke(guid: string): Promise<LambdaResult> {
    const { method, headers, body } = signedRequest('push', { secret, guid })
    const event: LambdaEvent = {
      ...{ rawPath: '/hooks', headers, body },
      requestContext: { http: { method, sourceIp: '127.0.0.1' } },
    }
    this.#child.kill('SIGCONT')
    this.#child.stdin?.write(`${JSON.stringify(event)}\n`)
    const { value } = await this.#results.next()
    this.#child.kill('SIGSTOP')
    return JSON.parse(value)
  }
}

test('lambda-postgres stores deliveries in a frozen process, and a worker elsewhere handles them', async () => {
  const url = await server.create()
  await migratePostgres(url)
  const handled: string[] = []
  const worker = new Hooks({ secret, logger: false, inbox: postgres(url) })
  worker.on('push', { name: 'deploy' }, ({ guid }) => void handled.push(guid))
  worker.work()
  onTestFinished(() => worker.close())
  const lambda = new FrozenFunction(url)
  const handles = async (guid: string) => {
    expect(await lambda.invoke(guid)).toMatchObject({ statusCode: 202, body: 'Accepted' })
    await expect.poll(() => handled).toContain(guid) // while the function is frozen
  }
  await handles('cold')
  await handles('warm')
  expect(await lambda.invoke('warm')).toMatchObject({ statusCode: 200, body: 'Duplicate' })

  const client = new pg.Client(url)
  await client.connect()
  onTestFinished(() => client.end())
  const { rows } = await client.query(
    "select count(*)::int as receivers from hookserver.processes where role = 'receiver'",
  )
  expect(rows).toEqual([{ receivers: 1 }])
})

test('cloud-run stores a delivery from the front end of Google, and handles it', async () => {
  const url = await server.create()
  const env = { GITHUB_WEBHOOKS_KEY: secret, HOOK_RANGES: '192.0.2.7', DATABASE_URL: url, PORT: '0' }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
  const info = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => info.mockRestore())
  const origin = await startServer(() => import('../../examples/cookbook/cloud-run.ts'))
  const inbox = postgres(url)
  onTestFinished(() => inbox.close())
  const send = (addresses: string) =>
    fetch(`${origin}/hooks`, signedRequest('push', { secret, headers: { 'x-forwarded-for': addresses } }))
  expect((await send('192.0.2.7, 203.0.113.9')).status).toBe(403) // the first address is a claim of the sender
  expect((await send('203.0.113.9, 192.0.2.7')).status).toBe(202)
  await expect.poll(() => inbox.list({ limit: 5 })).toMatchObject({ deliveries: [{ event: 'push', state: 'done' }] })
})
