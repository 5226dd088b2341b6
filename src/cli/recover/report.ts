import type { SweepReport, Swept } from '../../github/recovery/sweeper.ts'
import { type MissedDelivery, type MissedDeliveryState, missedDeliveryStates } from '../../inbox/missed-deliveries.ts'
import { eventName, formatAge, printable } from '../output.ts'
import { missedStyles } from '../state-styles.ts'
import { type Column, Table } from '../table.ts'

/** A line for each missed delivery, and one for each webhook. */
export function reportLines({ reports, missedDeliveries }: Swept, width: number, now: number): string[] {
  const summary = new Table(hookColumns, width).lines(reports.map(hookRow))
  const missing = missedDeliveries.filter(isMissing).toSorted((a, b) => b.deliveredAt - a.deliveredAt)
  if (missing.length === 0) return summary
  const left = reports.reduce((sum, report) => sum + missingIn(report), 0) - missing.length
  const table = new Table(deliveryColumns, width).lines(missing.map((missed) => deliveryRow(missed, now)))
  return [...table, ...(left > 0 ? [`… and ${left} more`] : []), '', ...summary]
}

const isMissing = ({ state }: MissedDelivery): boolean => state !== 'received'

const missingIn = ({ counts: { received: _, ...others } }: SweepReport): number =>
  Object.values(others).reduce((sum, count) => sum + count, 0)

const deliveryColumns: readonly Column[] = [
  { title: 'AGE' },
  { title: 'EVENT', minWidth: 8 },
  { title: 'HOOK', minWidth: 8 },
  { title: 'GITHUB SAYS', minWidth: 8 },
  { title: 'HERE', style: (text) => missedStyles[text as MissedDeliveryState] },
  { title: 'KEPT FOR' },
  { title: 'GUID', minWidth: 8 },
]

function deliveryRow(missed: MissedDelivery, now: number): string[] {
  const { target, hookId, guid, status, state, ...times } = missed
  const kept = times.expiresAt > now ? formatAge(now, times.expiresAt) : 'expired'
  return [
    formatAge(times.deliveredAt, now),
    printable(eventName(missed)),
    `${target}#${hookId}`,
    printable(status),
    state,
    kept,
    printable(guid),
  ]
}

const hookColumns: readonly Column[] = [
  { title: 'HOOK', minWidth: 8 },
  { title: 'SENT' },
  ...missedDeliveryStates.map((state) => ({ title: state.toUpperCase(), minWidth: 6 })),
  ...['UNHANDLED', 'CALLS'].map((title) => ({ title })),
]

function hookRow({ target, hookId, sent, counts, unhandled, calls }: SweepReport): string[] {
  const byState = missedDeliveryStates.map((state) => counts[state])
  const cells = [sent, ...byState, unhandled, calls]
  return [hookId === undefined ? target : `${target}#${hookId}`, ...cells.map(String)]
}
