import { setTimeout } from 'node:timers/promises'
import type { Delivery, HandlerOptions } from '../../src/index.ts'

/** A handler of the program that is killed, and the deliveries that it must have handled in the end. */
export interface Duty {
  name: string
  events: readonly EventName[]
  options?: HandlerOptions
  /** Between its two lines in the journal. */
  work(delivery: Delivery): void | Promise<void>
}

export const eventNames = ['push', 'issues.opened', 'ping', 'star.created', 'pull_request.opened'] as const
export type EventName = (typeof eventNames)[number]

/** The handler whose deliveries must come in order, and what they are ordered by. */
export const ordered = 'ordered'
export const orderKey = (guid: string): string => guid.slice(0, 1)

export const duties: readonly Duty[] = [
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

function failsFirst({ attempt }: Delivery): void {
  if (attempt === 1) throw new Error('The first attempt fails')
}

/** The handlers that a delivery of this event has. */
export function dutiesOf(event: EventName): readonly Duty[] {
  return duties.filter(({ events }) => events.includes(event))
}
