/** `program.ts <name> <target>`: a process that stores and handles pushes. Its parent calls its `commands`. */

import { backlogPayload } from '../backlog.ts'
import { definitionOf, type Name } from './contestants.ts'
import { pickupTimes, type SteadyPushes } from './pickup.ts'
import type { Queue } from './queue.ts'
import { roundTrips } from './round-trips.ts'

export type Commands = typeof commands

/** The number of pushes that are stored together. */
const batch = 500

const [name, target] = process.argv.slice(2) as [Name, string]
const { file, ordered = false } = definitionOf(name)
let handled = 0
let onHandled: ((mark: number) => void) | undefined

const { default: create } = await import(file)
const queue: Queue = await create({
  target,
  ordered,
  handle({ mark }: { mark: number }) {
    handled++
    onHandled?.(mark)
  },
})

const commands = {
  /** Stores a backlog. */
  async store(deliveries: number) {
    const payloads = Array.from({ length: deliveries }, (_, mark) => backlogPayload(mark))
    while (payloads.length > 0) await queue.store(payloads.splice(0, batch))
  },
  work: () => queue.work(),
  /** The number of calls of the handler. */
  handled: () => handled,
  unfinished: () => queue.unfinished(),
  roundTrips,
  pickupTimes(pushes: SteadyPushes) {
    const store = (payload: string) => queue.store([payload])
    return pickupTimes({ store, onHandled: (listener) => void (onHandled = listener) }, pushes)
  },
  close: () => queue.close(),
}

process.on('disconnect', () => process.exit())
process.on('message', async ([command, argument]: [keyof Commands, never]) => {
  process.send?.({ result: await commands[command](argument) })
})
process.send?.({ result: 'ready' })
