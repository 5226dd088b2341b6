import { STATUS_CODES } from 'node:http'
import { printable, printableLines, styled } from '../printing.ts'
import type { Answer, Outcome } from './sender.ts'
import type { InboxOverview } from './tally.ts'

/** What a report is about, beside the counts. */
export interface Sending {
  to: string
  /** The first digit of the status that all should have: 2, or 4 where a refusal is what is looked for. */
  wanted: 2 | 4
  /** All have it. */
  ok: boolean
  rate: number | undefined
  interrupted: boolean
}

/** Characters of a text in the table of answers. */
const mostText = 60

const round = (number: number) => (number < 10 ? Math.round(number * 10) / 10 : Math.round(number))
const inSeconds = (seconds: number) => (seconds < 1 ? inMs(seconds * 1000) : `${round(seconds)} s`)
const inMs = (ms: number) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`

/** The one answer: status, time and text. */
export function answerLines({ status, text, ms }: Answer, guid: string, ok: boolean): string[] {
  const head = `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd()
  return [`${styled(ok ? 'green' : 'red', head)} in ${inMs(ms)}, GUID ${guid}`, ...printableLines(text)]
}

/** Of many: counts by status and by what was answered, latencies, rate. */
export function summaryLines(tally: InboxOverview, { to, rate, wanted, interrupted }: Sending): string[] {
  const { sent, answered, failed, seconds } = tally
  const reached = `${round(tally.rate(rate !== undefined))} a second`
  const lines = [`${sent} requests to ${to} in ${inSeconds(seconds)}, ${reached}`, '']
  for (const { status, text, count } of tally.answers()) {
    const words = text === undefined ? '(other texts)' : printable(text).slice(0, mostText)
    const painted = styled(Math.floor(status / 100) === wanted ? 'green' : 'red', String(status))
    lines.push(row(painted, count, words))
  }
  for (const [failure, count] of tally.failures) lines.push(row(styled('red', '---'), count, printable(failure)))
  const cut = sent - answered - failed
  if (cut > 0) lines.push(row('---', cut, 'under way when it was stopped'))
  const latency = tally.latency()
  if (latency) {
    const figures = Object.entries(latency).map(([name, ms]) => `${name} ${inMs(ms)}`)
    lines.push('', `latency  ${figures.join('   ')}`)
  }
  if (interrupted) lines.push('', styled('yellow', 'Stopped before all were answered.'))
  return lines
}

const row = (status: string, count: number, text: string) =>
  `${status}  ${String(count).padStart(9)}  ${text}`.trimEnd()

/** For scripts: the one answer. */
export function answerJson(outcome: Outcome | undefined, guid: string, { to, ok }: Sending): object {
  if (!outcome) return { ok, to, guid, status: null, failure: 'stopped before there was an answer' }
  if ('failure' in outcome) return { ok, to, guid, status: null, failure: outcome.failure }
  return { ok, to, guid, status: outcome.status, text: outcome.text, ms: toMicro(outcome.ms) }
}

/** For scripts: many. */
export function summaryJson(tally: InboxOverview, { to, ok, rate, interrupted }: Sending): object {
  const { sent, answered, failed, seconds } = tally
  return {
    ok,
    to,
    interrupted,
    sent,
    answered,
    failed,
    statuses: Object.fromEntries(tally.statuses),
    answers: tally.answers(),
    failures: Object.fromEntries(tally.failures),
    seconds: toMicro(seconds),
    rate: toMicro(tally.rate(rate !== undefined)),
    latency: tally.latency() ?? null,
  }
}

const toMicro = (number: number) => Math.round(number * 1000) / 1000
