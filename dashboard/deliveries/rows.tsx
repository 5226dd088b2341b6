import { Fragment } from 'preact'
import { memo } from 'preact/compat'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { copyCurl } from '../delivery/copy-curl.ts'
import { pausedText } from '../handlers/paused-note.tsx'
import { retry } from '../operations/operations.ts'
import { mayAct } from '../session/session.ts'
import { Breakable } from '../ui/breakable.tsx'
import { useKeys } from '../ui/keys.ts'
import { StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { Ago, dayNameOf, now } from '../ui/time.tsx'
import { counted, duration } from '../ui/units.ts'
import { flagsOf } from './flags.ts'
import type { ListState } from './list-state.ts'
import { lastOpened, returnToRow } from './opened.ts'
import { opensBeside } from './side-panel.tsx'
import { nameOf, summaryOf } from './summary.ts'
import './rows.css'

const dayOf = (row: DeliverySummary | undefined): string => (row ? dayNameOf(row.receivedAt, now.value) : '')

/** The deliveries of a page. On a phone each is a card. */
export function Rows(props: {
  rows: readonly DeliverySummary[]
  reading: ListState
  stale: boolean
  /** The delivery beside the list. */
  open: number | undefined
  /** Shows a delivery beside the list, or none. */
  onOpen: (id: number | undefined) => void
}) {
  const { rows, reading, stale, open, onOpen } = props
  const table = useRef<HTMLTableElement>(null)
  useLayoutEffect(() => returnToRow(table.current), [])
  const links = () => [...(table.current?.querySelectorAll<HTMLAnchorElement>('a.open') ?? [])]
  const at = () => links().indexOf(document.activeElement as HTMLAnchorElement)
  const move = (by: number) => {
    // Starts at the current row, or at the row of the delivery that was opened last.
    const from = at() < 0 ? rows.findIndex(({ id }) => id === lastOpened.value) : at()
    const link = links()[Math.min(rows.length - 1, Math.max(0, from + by))]
    link?.focus({ preventScroll: true })
    link?.closest('tr')?.scrollIntoView({ block: 'nearest' })
    if (open !== undefined) onOpen(rows[at()]?.id)
  }
  /** Opens the row beside the list, unless the operator wants another tab or window. */
  const onClick = (event: MouseEvent) => {
    if (!opensBeside.value || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element).closest<HTMLAnchorElement>('a.open')
    const row = link && rows[links().indexOf(link)]
    if (!row) return
    event.preventDefault()
    link.focus({ preventScroll: true }) // not every browser focuses a link that is clicked
    onOpen(row.id)
  }
  const shown = useRef(open)
  useLayoutEffect(() => {
    const isClosed = shown.current !== undefined && open === undefined
    shown.current = open
    const link = links()[rows.findIndex(({ id }) => id === lastOpened.value)]
    // The rows are now higher, because they are narrower.
    if (open !== undefined) link?.closest('tr')?.scrollIntoView({ block: 'nearest' })
    if (isClosed && !table.current?.contains(document.activeElement)) link?.focus({ preventScroll: true })
  }, [open])
  const here = (act: (delivery: DeliverySummary) => unknown) => () => {
    const row = rows[at()] ?? rows.find(({ id }) => id === open)
    if (row && mayAct.value) void act(row)
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: here(({ id }) => reading.select(id, !reading.selected.value.has(id))),
    r: here(retry),
    c: here(({ id }) => copyCurl(id)),
    Escape: () => {
      if (open === undefined) (document.activeElement as HTMLElement | null)?.blur()
      else onOpen(undefined)
    },
  })
  const selected = reading.selected.value
  const isAll = rows.every(({ id }) => selected.has(id))
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the Enter key clicks the link that has the focus
    <table ref={table} class={`rows ${stale ? 'stale' : ''}`} aria-label="Deliveries" onClick={onClick}>
      <thead>
        <tr>
          {mayAct.value && (
            <th scope="col" class="select">
              <label>
                <input
                  type="checkbox"
                  aria-label="Select all on this page"
                  checked={selected.size > 0 && isAll}
                  indeterminate={selected.size > 0 && !isAll}
                  onChange={({ currentTarget }) => reading.selectAll(currentTarget.checked)}
                />
              </label>
            </th>
          )}
          {['State', 'Event', 'About', 'Repository', 'Sender', 'Received', 'Duration'].map((name) => (
            <th key={name} scope="col" class={name.toLowerCase()}>
              {name}
            </th>
          ))}
          <th scope="col" class="attempts" title="Attempts of the handler with the most attempts">
            Attempts
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <Fragment key={row.id}>
            {dayOf(row) !== dayOf(rows[index - 1]) && (
              <tr class="day">
                <th colSpan={mayAct.value ? 9 : 8} scope="colgroup">
                  {dayOf(row)}
                </th>
              </tr>
            )}
            <Row
              row={row}
              selected={selected.has(row.id)}
              isLast={row.id === lastOpened.value}
              isOpen={row.id === open}
              onSelect={mayAct.value ? reading.select.bind(reading) : undefined}
            />
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

/** Removes the name "Error", which adds nothing. */
const messageIn = (error: string): string => error.replace(/^Error: /, '')

interface RowProps {
  row: DeliverySummary
  selected: boolean
  /** Whether this delivery was opened last. */
  isLast: boolean
  /** Whether this delivery is shown beside the list. */
  isOpen: boolean
  onSelect: ((id: number, on: boolean, isRange: boolean) => void) | undefined
}

const Row = memo(
  function Row({ row, selected, isLast, isOpen, onSelect }: RowProps) {
    const name = plain(nameOf(row), 80)
    return (
      <tr class={`${selected ? 'selected' : ''} ${isLast ? 'last' : ''} ${isOpen ? 'beside' : ''}`}>
        {onSelect && (
          <td class="select">
            <label title="Shift selects all rows from the previous one">
              <input
                type="checkbox"
                aria-label={`Select ${name}, delivery ${row.id}`}
                checked={selected}
                onClick={({ currentTarget, shiftKey }) => onSelect(row.id, currentTarget.checked, shiftKey)}
              />
            </label>
          </td>
        )}
        <td class="state">
          <StateBadge state={row.state} />
        </td>
        <td class="event">
          <a class="open foreign" href={linkTo(`deliveries/${row.id}`)} aria-current={isOpen || undefined}>
            <Breakable text={name} />
          </a>
          <Flags row={row} />
        </td>
        <td class="about foreign">
          {plain(summaryOf(row), 160)}
          {row.pausedHandlers && <span class="waits">Waits: {pausedText(row.pausedHandlers)}</span>}
          {row.failure && (
            <span class="failure" title={plain(row.failure.error ?? '')}>
              {plain(row.failure.handler, 60)}: {plain(messageIn(row.failure.error ?? 'no message'), 200)}
            </span>
          )}
        </td>
        <td class="repository foreign">
          <Breakable text={plain(row.repository ?? '', 100)} />
        </td>
        <td class="sender foreign">
          <Breakable text={plain(row.sender ?? '', 40)} />
        </td>
        <td class="received">
          <Ago at={row.receivedAt} />
        </td>
        <td class="duration number" title="Total duration of all attempts">
          {row.duration !== undefined && duration(row.duration)}
        </td>
        <td class="attempts number">
          {row.attempts > 0 && (
            <span class={row.attempts === 1 ? 'once' : ''} title={counted(row.attempts, 'attempt', 'attempts')}>
              {row.attempts}
            </span>
          )}
        </td>
      </tr>
    )
  },
  (before, after) =>
    before.row === after.row &&
    before.selected === after.selected &&
    before.isLast === after.isLast &&
    before.isOpen === after.isOpen &&
    !before.onSelect === !after.onSelect,
)

const Flags = ({ row }: { row: DeliverySummary }) =>
  flagsOf(row).map(({ label, means }) => (
    <span key={label} class="tag" title={means}>
      {label}
    </span>
  ))
