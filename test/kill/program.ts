/**
 * The program that is killed: a receiver, a worker, or both in one process. It tells its parent when it has loaded its
 * modules and when it is ready, and ends when its parent ends.
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hookserver } from '../../src/adapters/node.ts'
import { Hooks } from '../../src/index.ts'
import { optionsOf } from '../../src/internals.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { childLogger, silentLogger } from '../../src/telemetry/logger.ts'
import { fatalHandler, registerHandlers, testHandlers } from '../campaign/handlers.ts'
import { secret } from '../campaign/sender.ts'
import type { Notice, Order } from '../campaign/victim.ts'
import { stuckHandlers } from './stuck-handlers.ts'

export interface ProgramSettings {
  /** The file of the inbox. */
  file: string
  /** The file in which handlers record their work. */
  journal: string
  role: 'all' | 'receiver' | 'worker'
  /** Whether to run what `hookserver serve` runs instead of an application with a mount. */
  served: boolean
  /** The timeout of a handler that never settles, in milliseconds. Default: there is no such handler. */
  stuckTimeout?: number
  /** Whether the handler of `fork` kills the process. */
  isFatal?: boolean
}

/**
 * Messages of a process without a fault. On a busy machine, it may be late for its leases, which last a second and a half.
 * A server also reports the attempts of the processes that were killed.
 */
const expected =
  /^Handler flaky failed|^Attempts were cut off|sent no heartbeats for too long$|took longer than \d+ ms to register/

/** Milliseconds that a delivery may wait for the disk or a lock. On a busy machine, a commit may take seconds. */
const maxWait = 30_000

/** The number of handler runs after which the program kills itself, before the outcome of the last one is recorded. */
let mayFinish = Number.POSITIVE_INFINITY

const tell = (notice: Notice) => void process.send?.(notice)

async function main({ file, journal, role, served, stuckTimeout, isFatal = false }: ProgramSettings): Promise<void> {
  tell({ loaded: true })
  const inbox = sqlite(file, { heartbeat: 500, lockTimeout: maxWait })
  const complain = ({ err }: { err?: unknown }, text: string) => {
    const complaint = err === undefined ? text : `${text}: ${err}`
    if (!expected.test(complaint)) console.error(complaint)
  }
  const logger = { warn: complain, error: complain }
  const hooks = new Hooks({ secret, validateIp: false, inbox, work: role === 'all', logger, replyTimeout: maxWait })
  const more = isFatal ? [fatalHandler] : stuckTimeout === undefined ? [] : stuckHandlers(stuckTimeout)
  registerHandlers(hooks, [...testHandlers, ...more], journal, () => {
    if (--mayFinish <= 0) process.kill(process.pid, 'SIGKILL')
  })
  const start = served ? startServed : startMounted
  const { port, close } = await start(hooks, role)
  process.on('disconnect', () => process.exit(1))
  process.on('message', (order: Order) => {
    if (typeof order === 'object' && 'killSelfAfter' in order) mayFinish = order.killSelfAfter
    else close().then(() => process.exit(0))
  })
  tell({ ready: true, port })
}

/** A running server: its port, and a function that closes it. */
interface Serving {
  port: number
  close(): Promise<void>
}

async function startMounted(hooks: Hooks, role: ProgramSettings['role']): Promise<Serving> {
  const close = () => hooks.close()
  if (role === 'worker') {
    hooks.work()
    return { port: 0, close }
  }
  const server = createServer(hookserver(hooks)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close }
}

async function startServed(hooks: Hooks, role: ProgramSettings['role']): Promise<Serving> {
  const { resolveConfig } = await import('../../src/server/config/resolve-config.ts') // an application loads no server
  const { serve } = await import('../../src/server/serve.ts')
  const flags = { role, port: '0', host: '127.0.0.1', adminPort: '0', adminToken: 'a-token-of-the-test' }
  const config = resolveConfig({ flags, env: {} })
  const logger = childLogger(optionsOf(hooks).logger || silentLogger)
  const module = { name: 'the program', hooks, config: undefined }
  const { publicUrl, close } = await serve({ config, module, secret: undefined, logger })
  return { port: publicUrl === undefined ? 0 : Number(new URL(publicUrl).port), close }
}

if (import.meta.main) await main(JSON.parse(process.argv[2] as string))
