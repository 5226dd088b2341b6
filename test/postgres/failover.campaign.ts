/** A standby takes over, with the built store and its threads. */
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type Delivery, Hooks } from '../../dist/index.js'
import { postgres } from '../../dist/postgres/index.js'
import type { Store } from '../../src/inbox/inbox.ts'
import { eventually, storeIn } from '../inbox/stores.ts'
import { type ReplicatedServer, startReplicated } from './replication.ts'

const concurrency = 10
const repositories = 7

/** A process that stores deliveries and handles them in the order of each repository. */
class Program {
  readonly inbox: Store
  readonly hooks: Hooks
  /** The ids of acknowledged deliveries, with the numbers in their payloads. */
  readonly stored = new Map<number, number>()
  /** The numbers that each handler has handled. */
  readonly handled = { first: new Set<number>(), late: new Set<number>() }
  #sent = 0

  constructor(url: string) {
    this.inbox = postgres(url, { heartbeat: 500 })
    this.hooks = new Hooks({ secret: 'secret', inbox: this.inbox, logger: silent })
  }

  handle(name: 'first' | 'late'): void {
    const handler = ({ payload }: Delivery) => void this.handled[name].add(payload.number as number)
    this.hooks.on('push', { name, concurrency, order: 'repository', backoff: '10ms' }, handler)
  }

  /** Stores new deliveries. Some may fail. */
  async store(count: number): Promise<void> {
    const storing = Array.from({ length: count }, async () => {
      const number = this.#sent++
      const payload = { repository: { full_name: `octo/${number % repositories}` }, number }
      this.stored.set(await storeIn(this.inbox, payload), number)
    })
    await Promise.allSettled(storing)
  }

  /** Waits until all deliveries are handled. */
  async done(): Promise<void> {
    await eventually(async () => {
      const { states } = await this.inbox.overview()
      expect(Object.entries(states).filter(([state, count]) => count > 0 && state !== 'done')).toEqual([])
    })
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

async function start(server: ReplicatedServer): Promise<Program> {
  const program = new Program(server.url)
  onTestFinished(async () => {
    await program.hooks.close()
    await server.stop()
  })
  program.handle('first')
  program.hooks.work()
  await program.store(100)
  await program.done()
  return program
}

test.each([
  ['on', []],
  ['remote_apply', ['synchronous_commit=remote_apply']],
])('a synchronous standby has every acknowledged delivery, synchronous_commit = %s', async (_commit, flags) => {
  const server = await startReplicated('synchronous_standby_names=standby', ...flags)
  const program = await start(server)
  const storing = program.store(1000)
  await setTimeout(300)
  await server.failOver(500)
  await storing
  await program.store(100)
  await program.done()
  const { first } = program.handled
  expect([...program.stored.values()].filter((number) => !first.has(number))).toEqual([])
  const details = await Promise.all([...program.stored.keys()].map((id) => program.inbox.get(id)))
  expect(details.filter((detail) => detail?.state !== 'done')).toEqual([])
})

test('handles deliveries after an asynchronous standby has lost a handler that was registered just before', async () => {
  const server = await startReplicated()
  const program = await start(server)
  await server.disconnectStandby()
  program.handle('late')
  await program.store(100)
  await program.done()
  await server.failOver(0)
  await eventually(async () => void (await storeIn(program.inbox)))
  program.stored.clear()
  await program.store(1000)
  await program.done()
  expect(program.stored.size).toBe(1000)
  const { first, late } = program.handled
  expect([...program.stored.values()].filter((number) => !first.has(number) || !late.has(number))).toEqual([])
})
