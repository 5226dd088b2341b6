/** The tested program: a receiver or a worker with an inbox in PostgreSQL. It exits when its parent exits. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hookserver } from '../../src/adapters/node.ts'
import { Hooks } from '../../src/index.ts'
import { postgres } from '../../src/postgres/index.ts'
import { registerHandlers } from '../campaign/handlers.ts'
import { secret } from '../campaign/sender.ts'
import type { Notice, Order } from '../campaign/victim.ts'
import { backlogHandler } from './backlog/handler.ts'
import { testHandlers } from './handlers.ts'

export interface ProgramSettings {
  url: string
  /** The file in which handlers record their work. */
  journal: string
  role: 'receiver' | 'worker'
  /** Milliseconds between heartbeats. */
  heartbeat: number
  /** If set, the program runs the handler of the backlog with this concurrency, not the handlers of the traffic. */
  concurrency?: number
  /** The GUIDs of deliveries whose handlers kill the process in their first attempts. */
  killSelfIn?: readonly string[]
  /** Whether a worker waits for the command `go` before it begins. */
  waits?: boolean
}

const tell = (notice: Notice) => void process.send?.(notice)

async function main({
  url,
  journal,
  role,
  heartbeat,
  concurrency,
  waits,
  killSelfIn = [],
}: ProgramSettings): Promise<void> {
  tell({ loaded: true })
  const inbox = postgres(url, { heartbeat })
  const hooks = new Hooks({ secret, validateIp: false, inbox, work: false, logger: false })
  const fatal = new Set(killSelfIn)
  registerHandlers(hooks, concurrency === undefined ? testHandlers : [backlogHandler(concurrency, fatal)], journal)
  process.on('disconnect', () => process.exit(1))
  process.on('message', (order: Order) => {
    if (order === 'close') hooks.close().then(() => process.exit(0))
    if (order === 'go') hooks.work()
    if (typeof order === 'object' && 'killSelfIn' in order) fatal.add(order.killSelfIn)
  })
  if (role === 'worker') {
    if (!waits) hooks.work()
    tell({ ready: true, port: 0 })
  } else {
    const server = createServer(hookserver(hooks)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    tell({ ready: true, port: (server.address() as AddressInfo).port })
  }
}

if (import.meta.main) await main(JSON.parse(process.argv[2] as string))
