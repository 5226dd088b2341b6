/** The lanes of a waterfall: what each handler of a delivery did, on one time axis. */
import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { duration } from '../ui/units.ts'

/** A wait, or an attempt. */
interface Segment {
  kind: AttemptDetail['outcome'] | 'waiting' | 'next'
  /** Milliseconds from the receipt of the delivery. */
  from: number
  to: number
}

export interface Lane {
  handler: string
  state: TaskDetail['state']
  segments: readonly Segment[]
  /** The content of the segments as text, for people who cannot see them. */
  summary: string
}

export interface Waterfall {
  lanes: readonly Lane[]
  /** Milliseconds from the receipt to the end of the axis. At least 1. */
  length: number
}

/** The states in the order of the handlers: failing handlers are first. */
const order: readonly TaskDetail['state'][] = ['dead', 'retrying', 'running', 'pending', 'discarded', 'gone', 'done']

export const failingFirst = (tasks: readonly TaskDetail[]): TaskDetail[] =>
  tasks.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))

/** @param now The end of running attempts and of waits for an attempt that is due, in milliseconds since 1970. */
export function waterfallOf({ receivedAt, tasks }: DeliveryDetail, now: number): Waterfall {
  const lanes = failingFirst(tasks).map((task): Lane => {
    const segments = segmentsOf(task, receivedAt, now)
    return { handler: task.handler, state: task.state, segments, summary: summaryOf(task, segments) }
  })
  const length = Math.max(1, ...lanes.flatMap(({ segments }) => segments.map(({ to }) => to)))
  return { lanes, length }
}

function segmentsOf({ state, attempts, nextAttemptAt }: TaskDetail, receivedAt: number, now: number): Segment[] {
  const segments: Segment[] = []
  let end = 0
  /** Adds the wait since the end of the last segment. The clocks of two machines may differ. */
  const waitUntil = (kind: 'waiting' | 'next', to: number) => {
    if (to > end) segments.push({ kind, from: end, to })
    end = Math.max(end, to)
  }
  for (const { startedAt, duration: took, outcome } of attempts) {
    const from = Math.max(0, startedAt - receivedAt)
    waitUntil('waiting', from)
    const to = outcome === 'running' ? Math.max(from, now - receivedAt) : from + (took ?? 0)
    segments.push({ kind: outcome, from, to })
    end = Math.max(end, to)
  }
  if (state === 'retrying' || state === 'pending') waitUntil('next', (nextAttemptAt ?? now) - receivedAt)
  return segments
}

function summaryOf({ handler, state, attempts, nextAttemptAt }: TaskDetail, segments: readonly Segment[]): string {
  let number = 0
  const parts = segments.map(({ kind, from, to }) => {
    const time = duration(to - from)
    if (kind === 'waiting') return `waited ${time}`
    if (kind === 'next')
      return nextAttemptAt === undefined ? `has waited ${time}` : `waits ${time} for its next attempt`
    const attempt = `attempt ${attempts[number++]?.number ?? number}`
    if (kind === 'running') return `${attempt} has run for ${time}`
    return kind === 'cut off' ? `${attempt} was cut off` : `${attempt} ${kind} after ${time}`
  })
  return `${handler} is ${state}: ${parts.join(', ') || 'no attempt'}`
}
