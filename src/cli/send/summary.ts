/** Counts and shows the outcomes of the requests of `send`. */
import { STATUS_CODES } from 'node:http'
import { formatDuration } from '../../runtime/format.ts'
import { shortened } from '../../runtime/untrusted-text.ts'
import { printable, printableLines, styled } from '../output.ts'

/** A complete answer, with the first 64 KiB of its text; or the reason why there is none. */
export type Outcome = { status: number; text: string; ms: number } | { failure: string; refused: boolean }

interface SummaryOptions {
  to: string
  total: number
  rate: number | undefined
  /** The first digit of an expected status: 4 for a rejection. */
  wanted: 2 | 4
  stop: AbortSignal
}

/** `Summary` keeps and compares only this many characters of each answer's text. */
const maxTextLength = 200
const maxShownText = 60
/** Characters of the text of a single answer. The error pages of frameworks have tens of thousands. */
const maxPrintedText = 2000

interface AnswerCount {
  status: number
  count: number
  /** The text, if it is the same in all answers with this status. */
  text?: string | undefined
}

/** The outcomes of all requests. */
export class Summary {
  readonly options: SummaryOptions
  readonly failures: Map<string, number> = new Map()
  readonly #answers = new Map<number, AnswerCount>()
  readonly #latencies: number[] = []
  #firstStart: number | undefined
  #lastStart = 0
  #lastEnd = 0
  sent = 0
  failed = 0
  refused = false
  last: Outcome | undefined

  constructor(options: SummaryOptions) {
    this.options = options
  }

  started(now: number): void {
    this.#firstStart ??= this.#lastEnd = now
    this.#lastStart = now
    this.sent++
  }

  ended(now: number, outcome: Outcome): void {
    this.#lastEnd = now
    this.last = outcome
    if ('failure' in outcome) {
      this.failed++
      this.refused ||= outcome.refused
      this.failures.set(outcome.failure, (this.failures.get(outcome.failure) ?? 0) + 1)
      return
    }
    const { status, ms } = outcome
    this.#latencies.push(ms)
    const text = outcome.text.slice(0, maxTextLength)
    const { count, text: common } = this.#answers.get(status) ?? { count: 0, text }
    this.#answers.set(status, { status, count: count + 1, text: common === text ? text : undefined })
  }

  get answered(): number {
    return this.#latencies.length
  }

  /** Whether every request was answered with an expected status. */
  get ok(): boolean {
    return this.answered === this.options.total && this.answers.every(({ status }) => this.isWanted(status))
  }

  isWanted(status: number): boolean {
    return Math.floor(status / 100) === this.options.wanted
  }

  /** In the order of the statuses. */
  get answers(): readonly AnswerCount[] {
    return [...this.#answers.values()].toSorted((a, b) => a.status - b.status)
  }

  /** In milliseconds; `undefined` if no request was answered. */
  get latency(): { p50: number; p95: number; p99: number; max: number } | undefined {
    const sorted = Float64Array.from(this.#latencies).sort()
    const at = (share: number) => toThousandths(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
    return sorted.length === 0 ? undefined : { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
  }

  /** The time from the first start to the last answer or failure. */
  get seconds(): number {
    return (this.#lastEnd - (this.#firstStart ?? 0)) / 1000
  }

  /** Requests started per second if a rate is set (10 requests have 9 gaps), otherwise answers per second. */
  get rate(): number {
    const span = this.#lastStart - (this.#firstStart ?? 0)
    if (this.options.rate !== undefined && span > 0) return ((this.sent - 1) * 1000) / span
    return this.seconds > 0 ? this.answered / this.seconds : 0
  }

  progress(): string {
    const counts = this.answers.map(({ status, count }) => `${status}: ${count}`)
    if (this.failed > 0) counts.push(`no answer: ${this.failed}`)
    const { total } = this.options
    const ended = this.answered + this.failed
    return [`${ended} of ${total} (${Math.floor((ended / total) * 100)} %)`, ...counts.slice(0, 4)].join('  ')
  }
}

const toThousandths = (number: number) => Math.round(number * 1000) / 1000

/** For a single request. */
export function answerLines({ last, ok }: Summary, guid: string): string[] {
  if (!last || 'failure' in last) return []
  const head = `${last.status} ${STATUS_CODES[last.status] ?? ''}`.trimEnd()
  const line = `${styled(ok ? 'green' : 'red', head)} in ${formatDuration(last.ms)}, GUID ${guid}`
  return [line, ...printableLines(shortened(last.text, maxPrintedText))]
}

export function answerJson({ last, ok, options: { to } }: Summary, guid: string): object {
  const common = { ok, to, guid }
  if (!last) return { ...common, status: null, failure: 'stopped before the answer' }
  if ('failure' in last) return { ...common, status: null, failure: last.failure }
  return { ...common, status: last.status, text: last.text, ms: toThousandths(last.ms) }
}

/** For several requests. */
export function summaryLines(summary: Summary): string[] {
  const { sent, answered, failed, failures, answers, latency, options } = summary
  const rate = `${summary.rate < 10 ? summary.rate.toFixed(1) : Math.round(summary.rate)} per second`
  const lines = [`${sent} requests to ${options.to} in ${formatDuration(summary.seconds * 1000)}, ${rate}`, '']
  for (const { status, text, count } of answers) {
    const shown = text === undefined ? '(different texts)' : printable(text).slice(0, maxShownText)
    lines.push(row(styled(summary.isWanted(status) ? 'green' : 'red', String(status)), count, shown))
  }
  for (const [failure, count] of failures) lines.push(row(styled('red', '---'), count, printable(failure)))
  const aborted = sent - answered - failed
  if (aborted > 0) lines.push(row('---', aborted, 'stopped before the answer'))
  if (latency) {
    const figures = Object.entries(latency).map(([name, ms]) => `${name} ${formatDuration(ms)}`)
    lines.push('', `latency  ${figures.join('   ')}`)
  }
  if (options.stop.aborted) lines.push('', styled('yellow', 'Stopped before all requests were answered.'))
  return lines
}

const row = (status: string, count: number, text: string) =>
  `${status}  ${String(count).padStart(9)}  ${text}`.trimEnd()

export function summaryJson(summary: Summary): object {
  const { ok, sent, answered, failed, answers, latency = null, options } = summary
  return {
    ...{ ok, to: options.to, interrupted: options.stop.aborted, sent, answered, failed },
    statuses: Object.fromEntries(answers.map(({ status, count }) => [status, count])),
    answers,
    failures: Object.fromEntries(summary.failures),
    seconds: toThousandths(summary.seconds),
    rate: toThousandths(summary.rate),
    latency,
  }
}

/** What to do about failures and rejections. */
export function* hintsFor(summary: Summary, secretSource: string | undefined): Generator<string> {
  const { ok, refused, failures, answers, sent } = summary
  const { to, rate, stop } = summary.options
  const statuses = new Set(answers.map(({ status }) => status))
  if (refused)
    yield `Connection to ${to} refused: start the server, for example with "hookserver serve", or pass another URL with --to`
  else for (const failure of failures.keys()) yield `${to}: ${failure}`
  if (statuses.has(404))
    yield `The server does not receive at ${to}: pass the URL in its log line "Receiving on" with --to, or correct the path`
  const rejected = answers.filter(({ status }) => [400, 401, 403].includes(status)).map(codeOf)
  if (rejected.includes('forbidden_origin')) {
    yield 'The server accepts only deliveries from the addresses of GitHub: start it with --dev to try it'
  }
  if (!ok && secretSource && rejected.some((code) => code === undefined || code === 'wrong_signature')) {
    yield `Signed with the secret from ${secretSource}: check that the server has the same secret`
  }
  if (rate !== undefined && !stop.aborted && summary.rate < 0.95 * rate && sent > 1) {
    yield `The rate of ${rate} per second was not reached: the server is too slow, or --concurrency is too low`
  }
}

/** The code of an error of hookserver. `undefined` for other texts. */
const codeOf = ({ text = '' }: AnswerCount): string | undefined => /"code":\s*"(\w+)"/.exec(text)?.[1]
