import { backlogPayload } from '../backlog.ts'

export interface SteadyPushes {
  /** Pushes a second. */
  rate: number
  seconds: number
}

/** Milliseconds, for each push. */
export interface PickupTimes {
  /** From the commit to the start of the handler; 0 if the handler starts before the commit is confirmed. */
  pickup: number[]
  /** From the moment at which the push is due to the start of the handler. */
  latency: number[]
}

interface Subject {
  store(payload: string): Promise<void>
  /** Sets the function that gets the mark of each push that is handled. */
  onHandled(listener: (mark: number) => void): void
}

/** Stores each push when it is due, even if earlier ones are not stored yet. */
export async function pickupTimes(
  { store, onHandled }: Subject,
  { rate, seconds }: SteadyPushes,
): Promise<PickupTimes> {
  const count = rate * seconds
  const [due, handled]: [number[], number[]] = [[], []]
  const commits: Promise<number>[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  let remaining = count
  onHandled((mark) => {
    handled[mark] = performance.now()
    if (--remaining === 0) resolve()
  })
  const start = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const target = Math.min(count, Math.ceil(((now - start) * rate) / 1000))
    for (let mark = due.length; mark < target; mark++) {
      due.push(start + (mark * 1000) / rate)
      commits.push(store(backlogPayload(mark)).then(() => performance.now()))
    }
    if (due.length === count) clearInterval(timer)
  }, 1)
  await promise
  const stored = await Promise.all(commits)
  return {
    pickup: handled.map((time, mark) => Math.max(0, time - (stored[mark] as number))),
    latency: handled.map((time, mark) => time - (due[mark] as number)),
  }
}
