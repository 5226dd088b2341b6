/** Each example, started as its first line says, takes a signed delivery. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { LambdaEvent } from '../src/adapters/lambda.ts'
import { signedRequest } from '../src/testing/index.ts'

const secret = 'the secret of the examples'
const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const servers: Record<string, string> = {
  node: 'node',
  express: 'node',
  fastify: 'node',
  koa: 'node',
  hono: 'node',
  web: 'bun',
}

/** Keeps the examples from asking GitHub for its addresses. */
const offline = fileURLToPath(new URL('offline.js', import.meta.url))

async function withProcess<T>(command: string, args: string[], work: (child: ChildProcess) => Promise<T>): Promise<T> {
  const preload = command === 'bun' ? '--preload' : '--import'
  const child = spawn(command, [preload, offline, ...args], {
    cwd: folder,
    env: { ...process.env, GITHUB_WEBHOOKS_KEY: secret, PORT: '0', NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  try {
    return await work(child)
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

/** The port in what an example prints when it listens. */
async function portOf(child: ChildProcess): Promise<string> {
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += chunk
    const port = /(?:port: |localhost:)(\d+)/.exec(output)?.[1]
    if (port) return port
  }
  throw new Error(`The example ended after ${JSON.stringify(output)}`)
}

describe('examples', () => {
  test.each(Object.entries(servers))('%s takes a signed ping', (name, command) =>
    withProcess(command, [`${name}.ts`], async (child) => {
      const origin = `http://localhost:${await portOf(child)}`
      const answer = await fetch(`${origin}/hooks`, signedRequest('ping', { secret }))
      expect(answer.status).toBe(200)
      expect(await answer.text()).toContain('pong')
    }),
  )

  test('lambda takes a signed ping', () => {
    const { method, headers, body } = signedRequest('ping', { secret })
    const event: LambdaEvent = {
      ...{ rawPath: '/hooks', headers, body },
      requestContext: { http: { method, sourceIp: '127.0.0.1' } },
    }
    const program = `const { handler } = await import('./lambda.ts'); console.log(JSON.stringify(await handler(${JSON.stringify(event)})))`
    return withProcess('node', ['--input-type=module', '-e', program], async (child) => {
      const [printed] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
      expect(JSON.parse(printed)).toMatchObject({ statusCode: 200, body: 'pong' })
    })
  })

  test('testing passes its own tests', () =>
    withProcess('node', ['testing.ts'], async (child) => {
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
    }))

  test('there is one for each subpath', () => {
    const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''))
    expect(names.toSorted()).toEqual([...Object.keys(servers), 'lambda', 'testing'].toSorted())
  })
})
