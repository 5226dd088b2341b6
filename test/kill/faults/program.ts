/**
 * A worker whose handlers misbehave as configured. It is a process of its own, because some behaviors end the process.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type Delivery, type HandlerOptions, Hooks } from '../../../src/index.ts'
import { sqlite } from '../../../src/sqlite/index.ts'
import { writeLine } from '../../campaign/journal.ts'
import type { Notice, Order } from '../../campaign/victim.ts'

export interface FaultySettings {
  file: string
  journal: string
  /** Milliseconds between heartbeats. A lease expires after five intervals without a heartbeat. */
  heartbeat: number
  handlers: readonly { event: 'push' | 'ping'; name: string; behavior: Behavior; options?: HandlerOptions }[]
}

export type Behavior = keyof typeof behaviors

const behaviors = {
  /** Returns immediately. */
  ends: () => {},
  /** Exits the process. */
  exits: () => process.exit(7),
  /** Blocks the event loop until the file `<journal>.go` exists. */
  blocks: (_delivery: Delivery, journal: string) => {
    while (!existsSync(`${journal}.go`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  },
  /** Returns on the command `go`. */
  waits: () => told('go'),
  /** Fails on the command `go`, but only in the first attempt. */
  waitsAndFails: async (delivery: Delivery) => {
    if (delivery.attempt > 1) return
    await told('go')
    throw new Error('Failed on command')
  },
  failsFirst: ({ attempt }: Delivery) => {
    if (attempt === 1) throw new Error('The first attempt fails')
  },
} satisfies Record<string, (delivery: Delivery, journal: string) => unknown>

async function told(expected: Order): Promise<void> {
  for (;;) if ((await once(process, 'message'))[0] === expected) return
}

function main({ file, journal, heartbeat, handlers }: FaultySettings): void {
  const inbox = sqlite(file, { heartbeat })
  const hooks = new Hooks({ validateSignature: false, inbox, logger: false })
  for (const { event, name, behavior, options } of handlers) {
    hooks.on(event, { name, ...options }, async (delivery) => {
      const { attempt } = delivery
      writeLine(journal, { mark: '+', guid: delivery.guid, handler: name, attempt })
      await behaviors[behavior](delivery, journal)
      writeLine(journal, { mark: '=', guid: delivery.guid, handler: name, attempt })
    })
  }
  process.on('disconnect', () => process.exit(1))
  process.on('message', (order: Order) => order === 'close' && hooks.close().then(() => process.exit(0)))
  hooks.work()
  process.send?.({ ready: true, port: 0 } satisfies Notice)
}

if (import.meta.main) main(JSON.parse(process.argv[2] as string))
