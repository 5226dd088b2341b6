/** The events of a schedule, apart from the order of steps. They follow from a seed. */
import { allHandlers } from '../../src/inbox/pauses.ts'
import { Random } from './random.ts'

/** How the attempts of a handler for a delivery end. `throws`: before the handler returns a promise. */
export type Behavior =
  | 'succeeds'
  | 'fails once'
  | 'fails'
  | 'throws'
  | 'discards'
  | 'ignores its signal'
  | 'ends the process'

export interface HandlerPlan {
  name: string
  concurrency: number
  isOrdered: boolean
  /** Milliseconds. */
  timeout: number | undefined
}

/** An event at a time, in milliseconds since the begin of the schedule. */
export type Action = { at: number } & (
  | Sending
  | { kind: 'deliver again'; delivery: number }
  | Operation
  /** `handler`: its name, or `allHandlers`. */
  | { kind: 'pause'; handler: string }
  /** All deliveries that have ended are older than the retention. */
  | { kind: 'prune' }
  | { kind: 'suspend' | 'sleep'; process: number; duration: number }
  | { kind: 'stop heartbeats'; process: number; duration: number }
  | { kind: 'crash'; process: number }
  | { kind: 'close'; process: number }
  | { kind: 'set the clock'; process: number; skew: number }
  | { kind: 'rename'; process: number; handler: string }
  | { kind: 'remove'; process: number; handler: string; duration: number }
  | { kind: 'set concurrency'; process: number; handler: string; concurrency: number }
)

/** Bytes of memory of an object in a payload. Its text takes nine bytes. */
export const memoryOfObject = 404

/** GitHub sends a delivery. `behaviors` and `durations` (in milliseconds) are in the order of the handlers. */
export interface Sending {
  kind: 'deliver'
  delivery: number
  key: string
  /** The number of objects in its payload. */
  size: number
  behaviors: readonly Behavior[]
  durations: readonly number[]
}

/** The operation of an operator on a delivery. */
export type Operation = { kind: 'retry' | 'discard'; delivery: number }

export interface Scenario {
  readonly seed: number
  readonly processes: number
  readonly handlers: readonly HandlerPlan[]
  /** The bytes of memory that the payloads of running handlers may take in each process. */
  readonly payloadMemory: number
  readonly actions: readonly Action[]
  /** When the workers of the first processes start, in milliseconds. Until then, deliveries pile up in the store. */
  readonly workersStart: number
  /** Milliseconds after which no more faults happen. */
  readonly troubleEnds: number
  /** The probability that a call of the store fails, or that its answer is lost or late. */
  readonly faults: number
}

/** Attempts of each handler. */
export const attempts = 3

const behaviors: Behavior[] = [
  ...Array<Behavior>(9).fill('succeeds'),
  ...(['fails once', 'fails once', 'fails', 'fails', 'throws', 'discards', 'discards', 'ignores its signal'] as const),
]

/** The number of deliveries, and how long trouble lasts. Most schedules are short, because long ones take most time. */
function extentOf(random: Random): { count: number; troubleEnds: number } {
  const size = random.next()
  if (size < 0.65) return { count: random.between(1, 5), troubleEnds: random.pick([1000, 10_000, 30_000]) }
  if (size < 0.97) return { count: random.between(3, 12), troubleEnds: random.pick([30_000, 60_000, 120_000]) }
  if (size < 0.998) return { count: random.between(20, 60), troubleEnds: 60_000 }
  return { count: random.between(100, 200), troubleEnds: 120_000 }
}

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed)
  const { count, troubleEnds } = extentOf(random)
  const processes = random.pick([1, 2, 2, 3])
  const handlers = ['a', 'b', 'c'].slice(0, random.between(1, 3)).map((name): HandlerPlan => {
    const timeout = random.chance(0.2) ? 5000 : undefined
    return { name, concurrency: random.between(1, 3), isOrdered: random.chance(0.5), timeout }
  })
  const hasKiller = random.chance(0.2)
  const isBurst = count > 12 || random.chance(0.4)
  const sizes = random.chance(0.03) ? [0, 10, 3000] : [0, 0, 0, 10, 60]
  const actions: Action[] = []
  for (let delivery = 0; delivery < count; delivery++) {
    const kills = hasKiller && delivery === Math.floor(count / 2)
    actions.push({
      kind: 'deliver',
      at: isBurst ? 0 : random.between(0, troubleEnds / 2),
      delivery,
      key: random.pick(['x', 'x', 'y', 'z']),
      size: random.pick(sizes),
      behaviors: handlers.map((_, index) => (kills && index === 0 ? 'ends the process' : random.pick(behaviors))),
      durations: handlers.map(() => random.pick([0, 0, 10, 1000, 8000])),
    })
  }
  const happen = (probability: number, make: (at: number) => Action) => {
    while (random.chance(probability)) {
      const latest = isBurst && random.chance(0.5) ? 50 : troubleEnds - 1 // many in the middle of a burst
      actions.push(make(random.between(0, latest)))
    }
  }
  const someDelivery = () => random.between(0, count - 1)
  const process = () => random.between(0, processes - 1)
  const handler = () => random.pick(handlers).name
  happen(0.3, (at) => ({ kind: 'deliver again', at, delivery: someDelivery() }))
  happen(0.4, (at) => ({ kind: 'retry', at, delivery: someDelivery() }))
  happen(0.2, (at) => ({ kind: 'discard', at, delivery: someDelivery() }))
  happen(0.2, (at) => ({ kind: 'pause', at, handler: random.chance(0.3) ? allHandlers : handler() }))
  happen(0.3, (at) => ({ kind: 'suspend', at, process: process(), duration: random.between(1000, 60_000) }))
  happen(0.1, (at) => ({ kind: 'sleep', at, process: process(), duration: random.between(1000, 60_000) }))
  happen(0.2, (at) => ({ kind: 'crash', at, process: process() }))
  happen(0.2, (at) => ({ kind: 'close', at, process: process() }))
  happen(0.1, (at) => ({ kind: 'set the clock', at, process: process(), skew: random.between(-30_000, 30_000) }))
  happen(0.05, (at) => ({ kind: 'rename', at, process: process(), handler: handler() }))
  happen(0.05, (at) => ({
    kind: 'remove',
    at,
    process: process(),
    handler: handler(),
    duration: random.between(0, 20_000),
  }))
  happen(0.1, (at) => ({
    kind: 'set concurrency',
    at,
    process: process(),
    handler: handler(),
    concurrency: random.between(1, 4),
  }))
  happen(0.15, (at) => ({ kind: 'prune', at }))
  happen(0.07, (at) => ({ kind: 'stop heartbeats', at, process: process(), duration: random.between(10_000, 60_000) }))
  const faults = random.chance(0.3) ? random.next() * 0.1 : 0
  const payloadMemory = random.pick([64, 256, 4096]) * 1024
  const workersStart = isBurst && random.chance(0.2) ? 1000 : 0
  actions.sort((a, b) => a.at - b.at)
  return { seed, processes, handlers, payloadMemory, actions, workersStart, troubleEnds, faults }
}

/**
 * One process handles a backlog, and an operator retries its first delivery meanwhile. A worker matches up to 10
 * deliveries at a time, or up to 100 with order keys.
 */
export function backlogOf(seed: number, { count, isOrdered }: { count: number; isOrdered: boolean }): Scenario {
  const random = new Random(seed)
  const handler: HandlerPlan = { name: 'a', concurrency: 3, isOrdered, timeout: undefined }
  const actions = Array.from({ length: count }, (_, delivery): Action => {
    const key = random.pick(['x', 'y', 'z'])
    return { kind: 'deliver', at: 0, delivery, key, size: 0, behaviors: ['succeeds'], durations: [0] }
  })
  const workersStart = 1000
  actions.push({ kind: 'discard', at: workersStart / 2, delivery: 0 })
  const noDelivery = count // a retry of it only takes a step
  for (let steps = random.between(0, 10); steps > 0; steps--) {
    actions.push({ kind: 'retry', at: workersStart, delivery: noDelivery })
  }
  actions.push({ kind: 'retry', at: workersStart, delivery: 0 })
  const limits = { payloadMemory: 256 * 1024, troubleEnds: 2 * workersStart, faults: 0 }
  return { seed, processes: 1, handlers: [handler], actions, workersStart, ...limits }
}

/** Renamed handlers have another name in the processes that rename them. */
export const renamed = (handler: string): string => `${handler}2`

/** The highest concurrency that a handler has at any time. */
export function maxConcurrency(scenario: Scenario, name: string): number {
  const plan = planOf(scenario, name)
  const set = scenario.actions.flatMap((action) => {
    return action.kind === 'set concurrency' && action.handler === plan?.name ? [action.concurrency] : []
  })
  return Math.max(plan?.concurrency ?? 0, ...set)
}

/** The plan of a handler, under its name or its other name. */
export const planOf = ({ handlers }: Scenario, name: string): HandlerPlan | undefined =>
  handlers.find((plan) => plan.name === name || renamed(plan.name) === name)
