import { createHistogram } from 'node:perf_hooks'
import type { Outcome } from './sender.ts'

/** Milliseconds. */
export interface Latency {
  p50: number
  p95: number
  p99: number
  max: number
}

/** How many times a status came with a text; without the text for those beyond the first few. */
export interface AnswerCount {
  status: number
  text?: string
  count: number
}

/** Texts of one status that are told apart: handlers may answer each delivery differently. */
const mostTexts = 5
const mostText = 200

/** What became of all requests so far, in the same memory for ten as for ten million. */
export class InboxOverview {
  answered = 0
  failed = 0
  readonly statuses: Map<number, number> = new Map()
  readonly failures: Map<string, number> = new Map()
  refused = false
  readonly #answers = new Map<number, Map<string | undefined, number>>()
  readonly #latency = createHistogram() // in microseconds
  #started = 0
  #firstBegun: number | undefined
  #lastBegun = 0
  #begun = 0
  #ended = 0

  start(now: number): void {
    this.#started = this.#ended = now
  }

  begin(now: number): void {
    this.#firstBegun ??= now
    this.#lastBegun = now
    this.#begun++
  }

  end(now: number, outcome: Outcome): void {
    this.#ended = now
    if ('failure' in outcome) {
      this.failed++
      this.refused ||= outcome.refused
      increase(this.failures, outcome.failure)
      return
    }
    this.answered++
    increase(this.statuses, outcome.status)
    this.#latency.record(Math.max(1, Math.round(outcome.ms * 1000)))
    this.#countText(outcome.status, outcome.text.slice(0, mostText))
  }

  #countText(status: number, text: string): void {
    const texts = this.#answers.get(status) ?? new Map<string | undefined, number>()
    this.#answers.set(status, texts)
    increase(texts, texts.has(text) || texts.size < mostTexts ? text : undefined)
  }

  get sent(): number {
    return this.#begun
  }

  /** By status, the most frequent text first. */
  answers(): AnswerCount[] {
    const statuses = [...this.#answers].toSorted(([a], [b]) => a - b)
    return statuses.flatMap(([status, texts]) =>
      [...texts]
        .toSorted(([, a], [, b]) => b - a)
        .map(([text, count]) => ({ status, ...(text !== undefined && { text }), count })),
    )
  }

  /** Of those that were answered; `undefined` where none was. */
  latency(): Latency | undefined {
    if (this.answered === 0) return undefined
    const at = (percent: number) => this.#latency.percentile(percent) / 1000
    return { p50: at(50), p95: at(95), p99: at(99), max: this.#latency.max / 1000 }
  }

  /** From the start to the last answer. */
  get seconds(): number {
    return (this.#ended - this.#started) / 1000
  }

  /** Answers a second; or, of requests that were paced, how many were begun a second: ten of them have nine gaps. */
  rate(paced: boolean): number {
    const gaps = this.#begun - 1
    const span = this.#lastBegun - (this.#firstBegun ?? 0)
    if (paced && gaps > 0 && span > 0) return (gaps * 1000) / span
    return this.seconds > 0 ? this.answered / this.seconds : 0
  }
}

function increase<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
