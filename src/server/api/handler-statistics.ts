import { type Count, handlerStep, type Measure } from '../../inbox/counts.ts'
import type { HandlerLoad } from '../../inbox/handler-loads.ts'
import type { Statistics } from '../../inbox/statistics.ts'
import { hour } from '../../runtime/units.ts'
import type { WindowName } from './schemas/requests.ts'
import type { HandlerSeries, HandlerStatistics, Percentiles } from './schemas/responses.ts'
import { percentilesOf, windows } from './series.ts'

const measures: readonly Measure[] = ['attempts', 'durations', 'completions', 'loads']

/** The statistics of handlers in a time window. The last time step has not ended yet. */
export class HandlerStatisticsReader {
  readonly #since: number
  readonly #step: number
  readonly #steps: number
  readonly #counts: ReadonlyMap<string, readonly Count[]>
  readonly #loads: ReadonlyMap<string, HandlerLoad>

  private constructor(
    since: number,
    step: number,
    steps: number,
    counts: readonly Count[],
    loads: readonly HandlerLoad[],
  ) {
    this.#since = since
    this.#step = step
    this.#steps = steps
    // A clock that was ahead has dated other counts after the window.
    const inWindow = counts.filter(({ at }) => at < since + steps * step)
    this.#counts = Map.groupBy(inWindow, ({ name }) => name)
    this.#loads = new Map(loads.map((load) => [load.handler, load]))
  }

  /**
   * @param handler Reads the counts of this handler only, by time step, as `seriesOf` needs them. Default: the sums over
   *   the window of all handlers.
   */
  static async read(
    inbox: Pick<Statistics, 'counts' | 'handlerLoads'>,
    window: WindowName,
    now: number,
    handler?: string,
  ): Promise<HandlerStatisticsReader> {
    const { length } = windows[window]
    // A day of steps of 5 minutes has 12 times as many counts.
    const step = length > hour ? hour : handlerStep
    const steps = length / step
    const since = (Math.floor(now / step) + 1 - steps) * step
    const [counts, loads] = await Promise.all([
      inbox.counts({
        since,
        step,
        measures,
        ...(handler === undefined ? { sumSteps: true } : { names: ['', handler] }),
      }),
      inbox.handlerLoads(now),
    ])
    return new HandlerStatisticsReader(since, step, steps, counts, loads)
  }

  statisticsOf(handler: string): HandlerStatistics {
    const attempts = this.#of(handler, 'attempts')
    const sum = (...outcomes: string[]) => sumOf(attempts.filter(({ outcome }) => outcomes.includes(outcome)))
    const { waiting = 0, running = 0, waitingSince } = this.#loads.get(handler) ?? {}
    return {
      attempts: sumOf(attempts),
      succeeded: sum('succeeded'),
      failed: sum('failed', 'cut off'),
      dead: sum('dead'),
      durations: latenciesOf(this.#of(handler, 'durations')),
      completions: latenciesOf(this.#of(handler, 'completions')),
      ...{ waiting, running, ...(waitingSince !== undefined && { waitingSince }) },
    }
  }

  seriesOf(handler: string): HandlerSeries {
    const attempts = this.#of(handler, 'attempts')
    const sums = (...outcomes: string[]) =>
      this.#perStep(attempts.filter(({ outcome }) => outcomes.includes(outcome))).map(sumOf)
    const samples = this.#perStep(this.#of('', 'loads')).map(sumOf)
    const loads = this.#perStep(this.#of(handler, 'loads'))
    const means = (measured: string) =>
      loads.map((counts, index) => {
        const [sum, number = 0] = [sumOf(counts.filter(({ outcome }) => outcome === measured)), samples[index]]
        return number === 0 ? null : sum / number
      })
    return {
      ...{ since: this.#since, step: this.#step },
      ...{ succeeded: sums('succeeded'), failed: sums('failed', 'dead', 'cut off') },
      durations: this.#perStep(this.#of(handler, 'durations')).map(latenciesOf),
      completions: this.#perStep(this.#of(handler, 'completions')).map(latenciesOf),
      ...{ waiting: means('waiting'), ages: means('age') },
    }
  }

  #of(handler: string, wanted: Measure): Count[] {
    return this.#counts.get(handler)?.filter(({ measure }) => measure === wanted) ?? []
  }

  #perStep(counts: readonly Count[]): Count[][] {
    const byStep = Map.groupBy(counts, ({ at }) => Math.floor((at - this.#since) / this.#step))
    return Array.from({ length: this.#steps }, (_, index) => byStep.get(index) ?? [])
  }
}

const sumOf = (counts: readonly Count[]): number => counts.reduce((sum, { count }) => sum + count, 0)

const latenciesOf = (counts: readonly Count[]): Percentiles | null =>
  percentilesOf(counts.map(({ outcome, count }) => ({ ms: Number(outcome), count })))
