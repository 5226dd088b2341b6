import type { SweepReport, Swept } from '../../github/sweeper.ts'
import type { Gap, GapState } from '../../inbox/gaps.ts'
import { eventName, formatAge, printable } from '../output.ts'
import { missedStyles } from '../state-styles.ts'
import { type Column, Table } from '../table.ts'

/** A line for each missed delivery, and one for each webhook. */
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
  { title: 'EVENT', minWidth: 8 },
  { title: 'HOOK', minWidth: 8 },
  { title: 'GITHUB SAYS', minWidth: 8 },
  { title: 'HERE', style: (text) => missedStyles[text as GapState] },
  { title: 'KEPT FOR' },
  { title: 'GUID', minWidth: 8 },
]

function gapRow(gap: Gap, now: number): string[] {
  const { target, hookId, guid, status, state, ...times } = gap
  const kept = times.keptUntil > now ? formatAge(now, times.keptUntil) : 'expired'
  return [
    formatAge(times.deliveredAt, now),
    printable(eventName(gap)),
    `${target}#${hookId}`,
    printable(status),
    state,
    kept,
    printable(guid),
  ]
}

const hookColumns: readonly Column[] = [
  { title: 'HOOK', minWidth: 8 },
  ...['SENT', 'MISSED', 'ASKED', 'ARRIVED', 'GIVEN UP', 'ABSENT', 'UNHANDLED', 'CALLS'].map((title) => ({ title })),
]

function hookRow({ target, hookId, sent, gaps, unhandled, calls }: SweepReport): string[] {
  const { missed, asked, arrived, 'given up': lost, absent } = gaps
  const counts = [sent, missed, asked, arrived, lost, absent, unhandled, calls]
  return [hookId === undefined ? target : `${target}#${hookId}`, ...counts.map(String)]
}
