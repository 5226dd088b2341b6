/** The application of a simulated process: its handlers, which the scenario plans. */
import type { Delivery } from '../../src/delivery.ts'
import type { Handler, Registration } from '../../src/handler.ts'
import { textIn } from '../../src/runtime/json.ts'
import { sleep } from '../../src/runtime/timer.ts'
import { Discard } from '../../src/thrown.ts'
import { Host } from '../inbox/fixtures.ts'
import { attempts, type Behavior, type HandlerPlan, type Scenario } from './scenario.ts'

/** The code of a handler. @param position The position of the handler in the scenario. */
type Handle = (position: number, handler: string, delivery: Delivery) => unknown

export class SimulatedHost extends Host {
  /** The calls of handlers whose code has not ended. */
  running = 0
  readonly #scenario: Scenario
  readonly #handle: Handle
  readonly #registrations: Registration[] = []

  constructor(scenario: Scenario, handle: Handle) {
    super()
    this.#scenario = scenario
    this.#handle = handle
    this.payloadMemory = scenario.payloadMemory
    for (const { name } of scenario.handlers) this.add(name, name)
  }

  /** The concurrency of each handler. */
  get concurrency(): ReadonlyMap<string, number> {
    return new Map(this.#registrations.map(({ name, options }) => [name, options.concurrency ?? 0]))
  }

  override registrations(): readonly Registration[] {
    return [...this.#registrations]
  }

  override match(): readonly Registration[] {
    return [...this.#registrations]
  }

  /** Adds a handler of the scenario under a name. @param concurrency Default: that of the scenario. */
  add(handler: string, name: string, concurrency?: number): void {
    const position = this.#scenario.handlers.findIndex((plan) => plan.name === handler)
    const { isOrdered, timeout, ...plan } = this.#scenario.handlers[position] as HandlerPlan
    const order = isOrdered ? ({ payload }: Delivery) => textIn(payload, 'key') : undefined
    const limits = { concurrency: concurrency ?? plan.concurrency, attempts }
    const options = { name, ...limits, backoff: 1000, ...(order && { order }), ...(timeout && { timeout }) }
    const run: Handler = (delivery) => this.#handle(position, name, delivery)
    this.#registrations.push({ name, events: ['push'], replies: false, handler: run, options })
  }

  /** @returns whether there was such a handler. */
  remove(name: string): boolean {
    const index = this.#registrations.findIndex((registration) => registration.name === name)
    if (index >= 0) this.#registrations.splice(index, 1)
    return index >= 0
  }
}

interface Run {
  behavior: Behavior
  duration: number
  delivery: Delivery
  /** Called when the code ends. */
  ends: () => void
  /** Ends the process. */
  crash: () => void
}

/** The promise of code whose process has ended. A new one for each use, because a promise keeps all that waits for it. */
export const never = (): Promise<never> => new Promise<never>(() => {})

/** The code of a handler. */
export function behave(run: Run): unknown {
  if (run.behavior !== 'throws') return behaveLater(run)
  run.ends()
  throw new Error('no')
}

async function behaveLater({ behavior, duration, delivery, ends, crash }: Run): Promise<void> {
  try {
    if (duration > 0)
      await sleep(duration, behavior === 'ignores its signal' ? new AbortController().signal : delivery.signal)
    if (behavior === 'ignores its signal') return
    delivery.signal.throwIfAborted()
    if (behavior === 'ends the process') {
      crash()
      await never()
    }
    if (behavior === 'discards') throw new Discard()
    if (behavior === 'fails' || (behavior === 'fails once' && delivery.attempt === 1)) throw new Error('no')
  } finally {
    ends()
  }
}
