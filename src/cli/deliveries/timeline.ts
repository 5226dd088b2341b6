import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../inbox/records.ts'
import { formatDuration, printable, printableLines } from '../format.ts'
import { styled } from '../output.ts'
import { outcomeStyles, stateStyles } from '../state-styles.ts'

interface TimelineEntry {
  at: number
  text: string
  details?: string[]
}

/** The message of an error, and where it was thrown; `--json` has all lines. */
const maxErrorLines = 3

/** What happened to a delivery, in order, and the state of each task. */
export function timeline(detail: DeliveryDetail): string[] {
  const { receivedAt, storedAt, ackedAt, address, tasks } = detail
  const from = address === undefined ? '' : ` from ${printable(address)}`
  const entries: TimelineEntry[] = [
    { at: receivedAt, text: `received${from}, ${new Date(receivedAt).toISOString()}` },
    { at: storedAt, text: 'stored' },
  ]
  if (ackedAt !== undefined) entries.push({ at: ackedAt, text: 'answered' })
  entries.push(...tasks.flatMap((task) => task.attempts.map((attempt) => attemptEntry(task, attempt))))
  entries.sort((one, other) => one.at - other.at)
  const times = entries.map(({ at }) => `+${formatDuration(at - receivedAt)}`)
  const width = Math.max(...times.map((time) => time.length))
  const lines = entries.flatMap(({ text, details = [] }, index) => [
    `  ${(times[index] ?? '').padStart(width)}  ${text}`,
    ...details.map((line) => `  ${' '.repeat(width)}    ${line}`),
  ])
  return [...lines, ...tasks.map((task) => `  ${' '.repeat(width)}  ${taskState(task)}`)]
}

function attemptEntry({ handler }: TaskDetail, attempt: AttemptDetail): TimelineEntry {
  const { number, startedAt, duration, outcome, error, result, log } = attempt
  const after = duration === undefined ? '' : ` after ${formatDuration(duration)}`
  const text = `${printable(handler)}, attempt ${number}: ${styled(outcomeStyles[outcome], outcome)}${after}`
  const details = [
    ...(error ? printableLines(error, maxErrorLines) : []),
    ...(result ? labelled('result', result) : []),
    ...(log ? labelled('log', log) : []),
  ]
  return { at: startedAt, text, details }
}

/** One line after the label, or several lines below it. */
function labelled(label: string, text: string): string[] {
  const lines = printableLines(text)
  return lines.length === 1 ? [`${label}: ${lines[0]}`] : [`${label}:`, ...lines.map((line) => `  ${line}`)]
}

function taskState({ handler, state, key, nextAttemptAt }: TaskDetail): string {
  const next = nextAttemptAt === undefined ? '' : `, next attempt ${new Date(nextAttemptAt).toISOString()}`
  const order = key === undefined ? '' : `, order key ${printable(key)}`
  return `${printable(handler)} is ${styled(stateStyles[state], state)}${next}${order}`
}
