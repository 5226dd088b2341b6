/**
 * Histograms of the latencies of handlers. A handler has two of them: the durations of its attempts, and the times from
 * the receipt of a delivery to the success of the handler. The time of a bucket differs by at most 10 % from the
 * measured times.
 */
import { getOrCreate } from '../runtime/get-or-create.ts'

/** Buckets for each factor of ten. */
const bucketsPerDecade = 12
/** The last bucket is for 10^10 ms, which are 115 days, and for longer times. */
const lastBucket = 1 + 10 * bucketsPerDecade

/** The first bucket is for times below a millisecond. */
const bucketOf = (ms: number): number =>
  ms < 1 ? 0 : Math.min(lastBucket, 1 + Math.round(bucketsPerDecade * Math.log10(ms)))

/** The time that stands for a bucket, in milliseconds. */
const timeOf = (bucket: number): string =>
  bucket === 0 ? '0' : String(Number((10 ** ((bucket - 1) / bucketsPerDecade)).toPrecision(3)))

/** The outcome of a `Count` for each bucket. */
const outcomes: readonly string[] = Array.from({ length: lastBucket + 1 }, (_, bucket) => timeOf(bucket))

/** A kind of latency. */
export type LatencyMeasure = 'durations' | 'completions'

/** How many latencies of a handler are in a bucket. */
export interface LatencyCount {
  measure: LatencyMeasure
  /** The handler. */
  name: string
  /** The milliseconds that stand for the bucket. */
  outcome: string
  count: number
}

type Histograms = Record<LatencyMeasure, Uint32Array>

const emptyHistograms = (): Histograms => ({
  durations: new Uint32Array(lastBucket + 1),
  completions: new Uint32Array(lastBucket + 1),
})

/**
 * Collects latencies until they are written. An observation changes a number in an array, because it happens for each
 * attempt: a count of its own for each would take ten times as long.
 */
export class LatencyBuffer {
  readonly #histograms = new Map<string, Histograms>()

  add(measure: LatencyMeasure, handler: string, ms: number): void {
    const histograms = getOrCreate(this.#histograms, handler, emptyHistograms)
    const bucket = bucketOf(ms)
    histograms[measure][bucket] = (histograms[measure][bucket] ?? 0) + 1
  }

  /** The collected latencies. Empties the buffer. */
  take(): LatencyCount[] {
    const counts = [...this.#histograms].flatMap(([name, { durations, completions }]) => [
      ...countsOf({ measure: 'durations', name }, durations),
      ...countsOf({ measure: 'completions', name }, completions),
    ])
    this.#histograms.clear()
    return counts
  }
}

function countsOf(of: Pick<LatencyCount, 'measure' | 'name'>, buckets: Uint32Array): LatencyCount[] {
  return [...buckets].flatMap((count, bucket) => (count > 0 ? [{ ...of, outcome: outcomes[bucket] ?? '', count }] : []))
}
