import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsMessages } from '../../telemetry/diagnostics.ts'
import type { Instruments } from './instruments.ts'

type Message<Name extends keyof DiagnosticsMessages> = DiagnosticsMessages[Name]
type Subscriber = (message: unknown) => void

/** Seconds. */
const commitBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const handlerBuckets = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900]
/** Deliveries. */
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** The sender chooses the names of events, so the number of series must be limited. */
const maxEvents = 200

/** Counts the messages on the diagnostics channels of this process. */
export class EventMetrics {
  readonly #events = new Set<string>()
  readonly #subscriptions: [name: string, subscriber: Subscriber][] = []

  constructor(instruments: Instruments) {
    this.#countReceived(instruments)
    this.#countStored(instruments)
    this.#countHandled(instruments)
  }

  close(): void {
    for (const [name, subscriber] of this.#subscriptions) unsubscribe(name, subscriber)
  }

  #countReceived(instruments: Instruments): void {
    const secrets = instruments.counter('hookserver_secret_used_total', 'Verified deliveries, by their secret', 'index')
    const rejected = instruments.counter('hookserver_rejected_total', 'Rejected requests, by code', 'code')
    this.#on('received', ({ secretIndex: index }) => index !== undefined && secrets.inc({ index }))
    this.#on('rejected', ({ code }) => rejected.inc({ code }))
  }

  #countStored(instruments: Instruments): void {
    const deliveries = instruments.counter(
      'hookserver_deliveries_total',
      'Verified deliveries, by event and outcome',
      'event',
      'outcome',
    )
    const conflicts = instruments.counter(
      'hookserver_conflicts_total',
      'Deliveries with the identity of an earlier one and other bytes',
      'event',
    )
    const commits = instruments.histogram(
      'hookserver_commit_seconds',
      'From handing deliveries to the store until they are committed',
      commitBuckets,
    )
    const batches = instruments.histogram('hookserver_commit_deliveries', 'Deliveries of a commit', batchBuckets)
    this.#on('stored', ({ event, rearmed, conflict }) => {
      deliveries.inc({ event: this.#known(event), outcome: rearmed ? 'rearmed' : 'stored' })
      if (conflict && !rearmed) conflicts.inc({ event: this.#known(event) })
    })
    this.#on('duplicate', ({ event }) => deliveries.inc({ event: this.#known(event), outcome: 'duplicate' }))
    this.#on('committed', (committed) => {
      commits.observe(committed.duration / 1000)
      batches.observe(committed.deliveries)
    })
  }

  #countHandled(instruments: Instruments): void {
    const labels = ['handler', 'outcome'] as const
    const attempts = instruments.counter('hookserver_attempts_total', 'Attempts of handlers, by outcome', ...labels)
    const durations = instruments.histogram(
      'hookserver_handler_seconds',
      'Attempts of handlers',
      handlerBuckets,
      ...labels,
    )
    const dead = instruments.counter('hookserver_dead_total', 'Deliveries that ended without success', 'event')
    this.#on('attempt', ({ handler, outcome, duration }) => {
      attempts.inc({ handler, outcome })
      durations.observe({ handler, outcome }, duration / 1000)
    })
    this.#on('dead', ({ event }) => dead.inc({ event: this.#known(event) }))
  }

  #known(event: string): string {
    if (this.#events.size < maxEvents) this.#events.add(event)
    return this.#events.has(event) ? event : 'other'
  }

  #on<Name extends keyof DiagnosticsMessages>(name: Name, listener: (message: Message<Name>) => void): void {
    const subscription: [string, Subscriber] = [`hookserver:${name}`, (message) => listener(message as Message<Name>)]
    subscribe(...subscription)
    this.#subscriptions.push(subscription)
  }
}
