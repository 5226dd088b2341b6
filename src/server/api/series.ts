import type { Count, Measure } from '../../inbox/counts.ts'
import type { Statistics } from '../../inbox/inbox.ts'
import { hour, minute } from '../../runtime/units.ts'
import type { WindowName } from './schemas/requests.ts'
import type { Percentiles } from './schemas/responses.ts'

/** The length of each window, and of its steps, in milliseconds. */
export const windows: Readonly<Record<WindowName, { length: number; step: number }>> = {
  '1h': { length: hour, step: minute },
  '24h': { length: 24 * hour, step: 15 * minute },
  '7d': { length: 7 * 24 * hour, step: hour },
}

export const windowNames = Object.keys(windows) as readonly WindowName[]

/** The measures of a `Series`. */
const measures: readonly Measure[] = ['received', 'rejected', 'attempts', 'answers', 'secrets']

/**
 * The counts of events in a time window, such as the last 24 hours. The window is divided into time steps, and each
 * step has its own counts. The last step has not ended yet.
 */
export class Series {
  /** When the first step began, in milliseconds since 1970. */
  readonly since: number
  readonly step: number
  readonly #steps: number
  readonly #counts: readonly Count[]

  private constructor(since: number, step: number, steps: number, counts: readonly Count[]) {
    this.since = since
    this.step = step
    this.#steps = steps
    this.#counts = counts
  }

  static async read(inbox: Statistics, name: WindowName, now: number): Promise<Series> {
    const { length, step } = windows[name]
    const steps = length / step
    const since = (Math.floor(now / step) + 1 - steps) * step
    return new Series(since, step, steps, await inbox.counts({ since, step, measures }))
  }

  /**
   * The sum of the counts of a measure in the window.
   * @param name Includes only the counts with this name.
   * @param since Includes only the counts from this time on, in milliseconds since 1970.
   */
  total(measure: Measure, { name, since = 0 }: { name?: string; since?: number } = {}): number {
    const fits = (count: Count) => (name === undefined || count.name === name) && count.at >= since
    return this.#of(measure)
      .filter(fits)
      .reduce((sum, { count }) => sum + count, 0)
  }

  /** The names under which a measure was counted. */
  names(measure: Measure): string[] {
    return [...new Set(this.#of(measure).map(({ name }) => name))]
  }

  /** One number per step, for each name and outcome. */
  lists(measure: Measure): { name: string; outcome: string; counts: number[] }[] {
    const groups = Map.groupBy(this.#of(measure), ({ name, outcome }) => JSON.stringify([name, outcome]))
    return [...groups].map(([key, of]) => {
      const [name, outcome] = JSON.parse(key) as [string, string]
      const counts = Array<number>(this.#steps).fill(0)
      for (const { at, count } of of) counts[this.#indexOf(at)] = count
      return { name, outcome, counts }
    })
  }

  /** Percentiles of the answer times in milliseconds, for the window and for each step. `null` without answers. */
  answers(): { whole: Percentiles | null; steps: (Percentiles | null)[] } {
    const of = this.#of('answers')
    const times = (counts: readonly Count[]) => counts.map(({ name, count }) => ({ ms: Number(name), count }))
    const byStep = Map.groupBy(of, ({ at }) => this.#indexOf(at))
    const steps = Array.from({ length: this.#steps }, (_, index) => percentilesOf(times(byStep.get(index) ?? [])))
    return { whole: percentilesOf(times(of)), steps }
  }

  /** The counts of a measure in the window. A clock that was ahead has dated other counts after it. */
  #of(measure: Measure): Count[] {
    return this.#counts.filter((count) => count.measure === measure && this.#indexOf(count.at) < this.#steps)
  }

  #indexOf(at: number): number {
    return Math.floor((at - this.since) / this.step)
  }
}

/** Each percentile is one of the times. `null` without times. */
export function percentilesOf(times: readonly { ms: number; count: number }[]): Percentiles | null {
  const sorted = times.toSorted((a, b) => a.ms - b.ms)
  const all = sorted.reduce((sum, { count }) => sum + count, 0)
  const at = (share: number) => {
    let seen = 0
    return sorted.find(({ count }) => (seen += count) >= share * all)?.ms ?? 0
  }
  return all === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
