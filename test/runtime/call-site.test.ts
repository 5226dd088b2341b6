import { describe, expect, test } from 'vitest'
import { hookserver as express } from '../../src/adapters/express.ts'
import { hookserver as hono } from '../../src/adapters/hono.ts'
import { hookserver as koa } from '../../src/adapters/koa.ts'
import { hookserver as lambda } from '../../src/adapters/lambda.ts'
import { hookserver as node } from '../../src/adapters/node.ts'
import { hookserver as web } from '../../src/adapters/web.ts'
import { Hooks } from '../../src/hooks.ts'
import { postgres } from '../../src/postgres/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'

const hooks = new Hooks({ secret: 'any', validateIp: false })
const wrong: object = { attempt: 1 }

describe('the stack of the error of a wrong option begins with the line of the application', () => {
  test.each<[string, () => unknown]>([
    ['new Hooks()', () => new Hooks(wrong)],
    ['hooks.on()', () => hooks.on('push', wrong, () => undefined)],
    ['hooks.hook()', () => hooks.hook('push', wrong, () => undefined)],
    ['hookserver/express', () => express(hooks, wrong)],
    ['hookserver/hono', () => hono(hooks, wrong)],
    ['hookserver/koa', () => koa(hooks, wrong)],
    ['hookserver/lambda', () => lambda(hooks, wrong)],
    ['hookserver/node', () => node(hooks, wrong)],
    ['hookserver/web', () => web(hooks, wrong)],
    ['hookserver without a Hooks', () => node({ hooks } as never)],
    ['sqlite()', () => sqlite('hookserver.db', wrong)],
    ['postgres()', () => postgres('postgres://127.0.0.1/hooks', wrong)],
  ])('%s', (_, call) => {
    let stack = ''
    try {
      call()
    } catch (error) {
      stack = (error as Error).stack ?? ''
    }
    expect(stack.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^TypeError: (.* option "attempt"|hookserver\(hooks\): expected)/),
      expect.stringContaining('call-site.test.ts'),
    ])
  })
})
