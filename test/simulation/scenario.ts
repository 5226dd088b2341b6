/** What happens in a schedule, apart from the order of steps. It follows from a seed. */
import { Random } from './random.ts'

/** How the attempts of a handler for a delivery end. */
export type Behavior = 'succeeds' | 'fails once' | 'fails' | 'discards' | 'ends the process'

export interface HandlerPlan {
  name: string
  concurrency: number
  isOrdered: boolean
}

/** Something that happens at a time, in milliseconds since the begin of the schedule. */
export type Action = { at: number } & (
  | Sending
  | { kind: 'deliver again'; delivery: number }
  | Operation
  | { kind: 'pause'; handler: string }
  | { kind: 'suspend' | 'sleep'; process: number; duration: number }
  | { kind: 'crash'; process: number }
  | { kind: 'close'; process: number }
  | { kind: 'set the clock'; process: number; skew: number }
)

/** GitHub sends a delivery. `behaviors` and `durations` (in milliseconds) are in the order of the handlers. */
export interface Sending {
  kind: 'deliver'
  delivery: number
  key: string
  behaviors: readonly Behavior[]
  durations: readonly number[]
}

/** What an operator does with a delivery. */
export type Operation = { kind: 'retry' | 'discard'; delivery: number }

export interface Scenario {
  readonly seed: number
  readonly processes: number
  readonly handlers: readonly HandlerPlan[]
  readonly actions: readonly Action[]
  /** The probability that a call of the store fails, or that its answer is lost. */
  readonly faults: number
}

/** Milliseconds after which nothing more goes wrong. */
export const troubleEnds = 120_000

/** Attempts of each handler. */
export const attempts = 3

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed)
  const processes = random.between(1, 3)
  const handlers = ['a', 'b', 'c'].slice(0, random.between(1, 3)).map((name) => {
    return { name, concurrency: random.between(1, 3), isOrdered: random.chance(0.5) }
  })
  const count = random.chance(0.1) ? random.between(20, 150) : random.between(1, 12)
  const hasKiller = random.chance(0.25)
  const behaviors: Behavior[] = ['succeeds', 'succeeds', 'succeeds', 'succeeds', 'fails once', 'fails', 'discards']
  const isBurst = count > 12 || random.chance(0.4)
  const actions: Action[] = []
  for (let delivery = 0; delivery < count; delivery++) {
    const kills = hasKiller && delivery === Math.floor(count / 2)
    actions.push({
      kind: 'deliver',
      at: isBurst ? 0 : random.between(0, 60_000),
      delivery,
      key: random.pick(['x', 'x', 'y', 'z']),
      behaviors: handlers.map((_, index) => (kills && index === 0 ? 'ends the process' : random.pick(behaviors))),
      durations: handlers.map(() => random.pick([0, 0, 10, 1000, 20_000])),
    })
  }
  const happen = (probability: number, make: (at: number) => Action) => {
    while (random.chance(probability)) {
      const latest = isBurst && random.chance(0.5) ? 50 : troubleEnds - 1 // many in the middle of a burst
      actions.push(make(random.between(0, latest)))
    }
  }
  const someDelivery = () => random.between(0, count - 1)
  const someProcess = () => random.between(0, processes - 1)
  happen(0.3, (at) => ({ kind: 'deliver again', at, delivery: someDelivery() }))
  happen(0.4, (at) => ({ kind: 'retry', at, delivery: someDelivery() }))
  happen(0.2, (at) => ({ kind: 'discard', at, delivery: someDelivery() }))
  happen(0.2, (at) => ({ kind: 'pause', at, handler: random.pick(handlers).name }))
  happen(0.3, (at) => ({ kind: 'suspend', at, process: someProcess(), duration: random.between(1000, 60_000) }))
  happen(0.1, (at) => ({ kind: 'sleep', at, process: someProcess(), duration: random.between(1000, 60_000) }))
  happen(0.2, (at) => ({ kind: 'crash', at, process: someProcess() }))
  happen(0.2, (at) => ({ kind: 'close', at, process: someProcess() }))
  happen(0.1, (at) => ({ kind: 'set the clock', at, process: someProcess(), skew: random.between(-30_000, 30_000) }))
  const faults = random.chance(0.3) ? random.next() * 0.1 : 0
  return { seed, processes, handlers, actions: actions.sort((a, b) => a.at - b.at), faults }
}
