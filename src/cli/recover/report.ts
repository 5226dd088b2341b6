import type { SweepReport, Swept } from '../../github/sweeper.ts'
import type { Gap, GapState } from '../../inbox/gaps.ts'
import { age } from '../elapsed.ts'
import { printable, type styled } from '../printing.ts'
import { type Column, Table } from '../table.ts'

/** Red is what is lost unless somebody does something, yellow what may mend by itself. */
const styles: Readonly<Record<GapState, Parameters<typeof styled>[0]>> = {
  missed: 'red',
  asked: 'yellow',
  arrived: 'green',
  'given up': 'red',
  absent: 'yellow',
}

/** A line for each delivery that is not here, and one for each hook. */
export function reportLines({ reports, gaps }: Swept, width: number, now: number): string[] {
  const summary = new Table(hookColumns, width).lines(reports.map(hookRow))
  const missing = gaps.filter(isMissing).toSorted((a, b) => b.deliveredAt - a.deliveredAt)
  if (missing.length === 0) return summary
  const left = reports.reduce((sum, report) => sum + missingIn(report), 0) - missing.length
  const table = new Table(gapColumns, width).lines(missing.map((gap) => gapRow(gap, now)))
  return [...table, ...(left > 0 ? [`… and ${left} more`] : []), '', ...summary]
}

const isMissing = ({ state }: Gap): boolean => state !== 'arrived'

const missingIn = ({ gaps: { arrived: _, ...others } }: SweepReport): number =>
  Object.values(others).reduce((sum, count) => sum + count, 0)

const gapColumns: readonly Column[] = [
  { title: 'AGE' },
  { title: 'EVENT', least: 8 },
  { title: 'HOOK', least: 8 },
  { title: 'GITHUB SAYS', least: 8 },
  { title: 'HERE', style: (text) => styles[text as GapState] },
  { title: 'KEPT FOR' },
  { title: 'GUID', least: 8 },
]

function gapRow({ event, action, target, hookId, guid, status, state, ...times }: Gap, now: number): string[] {
  const name = action === undefined ? event : `${event}.${action}`
  const kept = times.keptUntil > now ? age(now, times.keptUntil) : 'over'
  return [
    age(times.deliveredAt, now),
    printable(name),
    `${target}#${hookId}`,
    printable(status),
    state,
    kept,
    printable(guid),
  ]
}

const hookColumns: readonly Column[] = [
  { title: 'HOOK', least: 8 },
  ...['SENT', 'MISSED', 'ASKED', 'ARRIVED', 'GIVEN UP', 'ABSENT', 'UNHANDLED', 'CALLS'].map((title) => ({ title })),
]

function hookRow({ target, hookId, sent, gaps, unhandled, calls }: SweepReport): string[] {
  const { missed, asked, arrived, 'given up': lost, absent } = gaps
  const counts = [sent, missed, asked, arrived, lost, absent, unhandled, calls]
  return [hookId === undefined ? target : `${target}#${hookId}`, ...counts.map(String)]
}
