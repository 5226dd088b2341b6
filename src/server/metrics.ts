import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DiagnosticsMessages } from '../diagnostics.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Tally } from '../inbox/records.ts'

type Message<Name extends keyof DiagnosticsMessages> = DiagnosticsMessages[Name]
type Subscriber = (message: unknown) => void

/** Seconds. */
const buckets = { answer: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] }
const handlerBuckets = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900]

/** Names that a sender chooses must not become series without end. */
const mostEvents = 200

/** What Prometheus reads: of this process, but for the states, which are those of the inbox. No repository is named. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #inbox: Inbox
  readonly #events = new Set<string>()
  readonly #subscriptions: [name: string, subscriber: Subscriber][] = []

  readonly #deliveries = this.#counter(
    'deliveries_total',
    'Verified deliveries, by event and outcome',
    'event',
    'outcome',
  )
  readonly #refused = this.#counter('refused_total', 'Requests that were refused, by code', 'code')
  readonly #attempts = this.#counter('attempts_total', 'Attempts of handlers, by outcome', 'handler', 'outcome')
  readonly #dead = this.#counter('dead_total', 'Deliveries that ended without success', 'event')
  readonly #answers = this.#histogram(
    'answer_seconds',
    'From a request to its answer, by status',
    buckets.answer,
    'status',
  )
  readonly #durations = this.#histogram('handler_seconds', 'Attempts of handlers', handlerBuckets, 'handler')
  readonly #states = this.#gauge('deliveries', 'Deliveries in the inbox, by state', 'state')
  readonly #oldest = this.#gauge('oldest_unfinished_seconds', 'Since the oldest delivery came that has not ended')
  readonly #size = this.#gauge('inbox_bytes', 'Bytes that the inbox takes on disk')

  constructor(inbox: Inbox) {
    this.#inbox = inbox
    this.#on('stored', ({ event, rearmed }) => this.#count(event, rearmed ? 'rearmed' : 'stored'))
    this.#on('duplicate', ({ event }) => this.#count(event, 'duplicate'))
    this.#on('refused', ({ code }) => this.#refused.inc({ code }))
    this.#on('attempt', ({ handler, outcome, duration }) => {
      this.#attempts.inc({ handler, outcome })
      this.#durations.observe({ handler }, duration / 1000)
    })
    this.#on('dead', ({ event }) => this.#dead.inc({ event: this.#eventName(event) }))
  }

  /** @param duration Milliseconds. */
  answered(status: number, duration: number): void {
    this.#answers.observe({ status: String(status) }, duration / 1000)
  }

  /** The text that Prometheus reads. */
  async read(): Promise<{ type: string; text: string }> {
    this.#show(await this.#inbox.tally())
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  close(): void {
    for (const [name, subscriber] of this.#subscriptions) unsubscribe(name, subscriber)
  }

  #show({ states, oldestUnfinished, size }: Tally): void {
    for (const [state, count] of Object.entries(states)) this.#states.set({ state }, count)
    this.#oldest.set(oldestUnfinished === undefined ? 0 : (Date.now() - oldestUnfinished) / 1000)
    this.#size.set(size)
  }

  #count(event: string, outcome: string): void {
    this.#deliveries.inc({ event: this.#eventName(event), outcome })
  }

  #eventName(event: string): string {
    if (this.#events.size < mostEvents) this.#events.add(event)
    return this.#events.has(event) ? event : 'other'
  }

  #on<Name extends keyof DiagnosticsMessages>(name: Name, listener: (message: Message<Name>) => void): void {
    const subscription: [string, Subscriber] = [`hookserver:${name}`, (message) => listener(message as Message<Name>)]
    subscribe(...subscription)
    this.#subscriptions.push(subscription)
  }

  #counter<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `hookserver_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #gauge<Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name: `hookserver_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ): Histogram<Label> {
    return new Histogram({ name: `hookserver_${name}`, help, buckets, labelNames, registers: [this.#registry] })
  }
}
