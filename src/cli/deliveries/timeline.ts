import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../inbox/records.ts'
import { elapsed } from '../elapsed.ts'
import { printable, printableLines, styled } from '../printing.ts'
import { outcomeStyles, stateStyles } from './state-styles.ts'

interface Moment {
  at: number
  what: string
  /** What is to be said of it, a line each. */
  more?: string[]
}

/** Lines of an error that are shown: its message, and where it was thrown. `--json` has all. */
const errorLines = 3

/** What happened to a delivery, in the order in which it did, and where it stands. */
export function timeline(detail: DeliveryDetail): string[] {
  const { receivedAt, storedAt, ackedAt, address, tasks } = detail
  const from = address === undefined ? '' : ` from ${printable(address)}`
  const moments: Moment[] = [
    { at: receivedAt, what: `received${from}, ${new Date(receivedAt).toISOString()}` },
    { at: storedAt, what: 'stored' },
  ]
  if (ackedAt !== undefined) moments.push({ at: ackedAt, what: 'answered' })
  moments.push(...tasks.flatMap((task) => task.attempts.map((attempt) => attemptMoment(task, attempt))))
  moments.sort((one, other) => one.at - other.at)
  const times = moments.map(({ at }) => `+${elapsed(at - receivedAt)}`)
  const width = Math.max(...times.map((time) => time.length))
  const lines = moments.flatMap(({ what, more = [] }, index) => [
    `  ${(times[index] ?? '').padStart(width)}  ${what}`,
    ...more.map((line) => `  ${' '.repeat(width)}    ${line}`),
  ])
  return [...lines, ...tasks.map((task) => `  ${' '.repeat(width)}  ${standing(task)}`)]
}

function attemptMoment({ handler }: TaskDetail, attempt: AttemptDetail): Moment {
  const { number, startedAt, duration, outcome, error, result, log } = attempt
  const took = duration === undefined ? '' : ` after ${elapsed(duration)}`
  const more: string[] = []
  if (error) more.push(...printableLines(error, errorLines))
  if (result) more.push(...labelled('result', result))
  if (log) more.push(...labelled('log', log))
  const what = `${printable(handler)}, attempt ${number}: ${styled(outcomeStyles[outcome], outcome)}${took}`
  return { at: startedAt, what, more }
}

/** In one line, or below it. */
function labelled(label: string, text: string): string[] {
  const lines = printableLines(text)
  return lines.length === 1 ? [`${label}: ${lines[0]}`] : [`${label}:`, ...lines.map((line) => `  ${line}`)]
}

function standing({ handler, state, key, nextAttemptAt }: TaskDetail): string {
  const next = nextAttemptAt === undefined ? '' : `, next attempt ${new Date(nextAttemptAt).toISOString()}`
  const order = key === undefined ? '' : `, in the order of ${printable(key)}`
  return `${printable(handler)} is ${styled(stateStyles[state], state)}${next}${order}`
}
