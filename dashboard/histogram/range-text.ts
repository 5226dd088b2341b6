import type { Histogram } from '../../src/server/api/schemas/responses.ts'
import { count, duration } from '../ui/units.ts'
import { timeFormat } from '../ui/zone.ts'
import type { Range } from './range.ts'

const day = { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const minutes = timeFormat(day)
const seconds = timeFormat({ ...day, second: '2-digit' })

export const timeText = ({ step }: Histogram, at: number): string => (step < 60_000 ? seconds() : minutes()).format(at)

export const rangeText = (histogram: Histogram, { since, until }: Range): string =>
  `${timeText(histogram, since)} – ${timeText(histogram, until)}`

/** The sums of the steps of a range: `1,234 received, 12 failed`. */
export function totalText(histogram: Histogram, range: Range): string {
  const { since, step, received, failed } = histogram
  const [first, last] = [(range.since - since) / step, (range.until - since) / step]
  const sum = (counts: readonly number[]) => counts.slice(first, last).reduce((total, one) => total + one, 0)
  return `${count(sum(received))} received${failed ? `, ${count(sum(failed))} failed` : ''}`
}

export const stepText = ({ step }: Histogram): string => `in steps of ${duration(step)}`
