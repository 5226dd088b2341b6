import { setTimeout } from 'node:timers/promises'
import type { Delivery, HandlerOptions, Hooks } from '../../src/index.ts'
import { writeLine } from './journal.ts'

/** A handler of the test programs, and the events that it handles. Tests inject faults into these programs. */
export interface TestHandler {
  name: string
  events: readonly EventName[]
  options?: HandlerOptions
  /** The work of the handler. `registerHandlers` writes a line to the journal before it and another line after it. */
  work(delivery: Delivery): void | Promise<void>
}

/** The events that the sender sends continuously. */
export const eventNames = ['push', 'issues.opened', 'ping', 'star.created', 'pull_request.opened'] as const
/**
 * Tests send `fork` only to inject a fault. In one test, the handler of `fork` kills the process. In another test, the
 * handler of `fork` never settles. In a third test, the process ends when it parses the body.
 */
export type EventName = (typeof eventNames)[number] | 'fork'

/** The name of the ordered handler, and the order key of each of its deliveries. */
export const ordered = 'ordered'
export const orderKey = (guid: string): string => guid.slice(0, 1)

export const testHandlers: readonly TestHandler[] = [
  { name: 'quick', events: ['push', 'star.created'], work: () => {} },
  { name: 'audit', events: eventNames, work: () => setTimeout(1) },
  { name: 'slow', events: ['issues.opened'], work: ({ guid }) => setTimeout(5 + Number.parseInt(guid.slice(-1), 16)) },
  {
    name: ordered,
    events: ['star.created'],
    options: { order: ({ guid }) => orderKey(guid) },
    work: () => setTimeout(1),
  },
  { name: 'flaky', events: ['pull_request.opened', 'ping'], work: failsFirst },
]

/** The handler that kills its process, and the number of attempts in which it does so for each delivery. */
export const fatal = 'fatal'
export const deaths = 3

export const fatalHandler: TestHandler = {
  name: fatal,
  events: ['fork'],
  work: ({ attempt }) => {
    if (attempt <= deaths) process.kill(process.pid, 'SIGKILL')
  },
}

function failsFirst({ attempt }: Delivery): void {
  if (attempt === 1) throw new Error('The first attempt fails')
}

/** @param onThrough Called after a handler has written the line of its success, before the outcome is recorded. */
export function registerHandlers(
  hooks: Hooks,
  all: readonly TestHandler[],
  journal: string,
  onThrough: () => void = () => {},
): void {
  for (const { name, events, options, work } of all) {
    hooks.on([...events], { name, backoff: '1ms', attempts: 1000, ...options }, async (delivery) => {
      const { attempt } = delivery
      writeLine(journal, { mark: '+', guid: delivery.guid, handler: name, attempt })
      try {
        await work(delivery)
      } catch (error) {
        writeLine(journal, { mark: '-', guid: delivery.guid, handler: name, attempt })
        throw error
      }
      writeLine(journal, { mark: '=', guid: delivery.guid, handler: name, attempt })
      onThrough()
    })
  }
}
