import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { ApiError } from '../api/client.ts'
import { PausedNote } from '../handlers/paused-note.tsx'
import { BulkButtons } from '../operations/bulk-buttons.tsx'
import { useCommands } from '../palette/screen-commands.ts'
import { go, route } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { lazy } from '../ui/lazy.tsx'
import { utc } from '../ui/preferences.ts'
import { count, counted, deliveries } from '../ui/units.ts'
import { ConnectionNote } from './connection-note.tsx'
import { InvalidSearch, NoMatch } from './empty-states.tsx'
import { Filters } from './filters.tsx'
import { FirstDelivery } from './first-delivery.tsx'
import { useListState } from './list-state.ts'
import { LiveList } from './live-list.ts'
import { lastList, placeToReturnTo } from './opened.ts'
import { Rows } from './rows.tsx'
import { SavedButton } from './saved-button.tsx'
import { SearchBox } from './search-box.tsx'
import { SearchProgress } from './search-progress.tsx'
import { opensBeside, SidePanel } from './side-panel.tsx'
import { Tabs } from './tabs.tsx'
import './deliveries.css'

const Histogram = lazy(async () => (await import('../histogram/histogram.tsx')).Histogram)

/** Changes the search of the list. */
export const search = (text: string): void => go(linkTo('deliveries', { q: text }))

/** The deliveries, newest first, updated as they change. */
export function Deliveries() {
  const { q = '', before, open: opened = '' } = route.value.search
  const list = useMemo(() => {
    const address = linkTo('deliveries', { q, before })
    const through = placeToReturnTo(address)
    Object.assign(lastList, { address, text: q, rows: [] })
    return new LiveList({ text: q, before: /^\d+$/.test(before ?? '') ? Number(before) : undefined, through })
  }, [q, before, utc.value]) // days begin at another time in UTC
  useEffect(() => () => list.close(), [list])
  const reading = useListState(list)
  const isOpen = /^[1-9]\d{0,14}$/.test(opened)
  const open = isOpen && opensBeside.value ? Number(opened) : undefined
  const onOpen = (id: number | undefined) =>
    go(linkTo('deliveries', { q, before, open: id }), { replace: isOpen || id === undefined })
  useLayoutEffect(() => {
    reading.hasPanel.value = open !== undefined
    if (isOpen && open === undefined) go(linkTo(`deliveries/${opened}`), { replace: true })
  }, [reading, open, opened])
  const { rows, gone, next, busy, error } = list
  lastList.rows = rows.value
  /** Whether the list shows all deliveries that match the search. */
  const isWhole = before === undefined && next.value === undefined
  const matching = rows.value.length - gone.value.size
  const paused = [...new Set(rows.value.flatMap(({ pausedHandlers = [] }) => pausedHandlers))]
  const isEmpty = rows.value.length === 0 && !busy.value && !error.value && !list.stopped.value
  /** Whether there are no deliveries yet. */
  const isNew = isEmpty && q === '' && before === undefined
  const pausing = reading.paused.value ? 'Resume updates' : 'Pause updates'
  const togglePause = () => (reading.paused.value = !reading.paused.value)
  useCommands([{ name: pausing, hint: 'list', run: togglePause }])
  return (
    <div class={open === undefined ? '' : 'with-panel'}>
      <div class="deliveries">
        <h1 class="hidden-visually">Deliveries</h1>
        <Tabs text={q} />
        <div class="search-row">
          <SearchBox text={q} onSearch={search} />
          <SavedButton text={q} />
        </div>
        <Filters text={q} onSearch={search} />
        {!isNew && (
          <div class="histogram-place">
            <Histogram text={q} onSearch={search} />
          </div>
        )}
        <div class={`toolbar ${reading.selected.value.size > 0 ? 'selecting' : ''}`}>
          <BulkButtons
            text={q}
            rows={rows.value}
            selected={reading.selected}
            matching={isWhole ? matching : undefined}
          />
          <span class="soft small" role="status">
            {statusOf(list, { before, isWhole })}
          </span>
          {before !== undefined && (
            <a class="button slim" href={linkTo('deliveries', { q })}>
              Newest
            </a>
          )}
          {gone.value.size > 0 && (
            <button type="button" class="button slim" onClick={() => void list.load()}>
              Refresh list
            </button>
          )}
          <button
            type="button"
            class="button slim end"
            title="While updates are paused, new deliveries are not added to the list"
            onClick={togglePause}
          >
            <Icon name={reading.paused.value ? 'play' : 'pause'} />
            {pausing}
          </button>
        </div>
        <SearchProgress text={q} list={list} />
        {paused.length > 0 && (
          <PausedNote handlers={paused} who="Deliveries in this list wait" onResume={() => void list.load()} />
        )}
        <ConnectionNote connection={list.connection} />
        {/* One announcement for all new rows, so that screen readers are not interrupted again and again. */}
        <div class="hidden-visually" role="status">
          {list.waiting.value.length > 0 && 'New deliveries are available'}
        </div>
        <div class="news">
          {list.waiting.value.length > 0 && (
            <button type="button" class="button primary" onClick={() => reading.admit()}>
              {list.moreWait.value ? `${count(list.waiting.value.length)}+` : count(list.waiting.value.length)} new{' '}
              {list.waiting.value.length === 1 ? 'delivery' : 'deliveries'}
            </button>
          )}
        </div>
        {error.value &&
          (error.value instanceof ApiError && error.value.status === 400 ? (
            <InvalidSearch text={q} error={error.value} />
          ) : (
            <Failure error={error.value} again={() => void list.load()} />
          ))}
        {isEmpty && (isNew ? <FirstDelivery /> : q !== '' && <NoMatch text={q} onClear={() => search('')} />)}
        {rows.value.length > 0 && (
          <Rows {...{ rows: rows.value, reading, open, onOpen }} stale={busy.value || Boolean(error.value)} />
        )}
        <nav class="pages" aria-label="Pages">
          {before !== undefined && (
            <a class="button" href={linkTo('deliveries', { q })}>
              Newest
            </a>
          )}
          {next.value !== undefined && (
            <a class="button" href={linkTo('deliveries', { q, before: next.value })}>
              Older
            </a>
          )}
        </nav>
      </div>
      {open !== undefined && <SidePanel id={open} list={list} onClose={() => onOpen(undefined)} />}
    </div>
  )
}

/** The number of rows, and whether the list is complete and up to date. */
function statusOf(list: LiveList, { before, isWhole }: { before: string | undefined; isWhole: boolean }): string {
  const rows = list.rows.value.length
  const gone = list.gone.value.size
  const tooLarge = list.tooLarge.value
  if (list.busy.value) return list.looked.value > 0 ? '' : 'Loading…'
  const older = counted(rows, 'older delivery', 'older deliveries')
  const shown = isWhole ? deliveries(rows - gone) : before === undefined ? `Newest ${deliveries(rows)}` : older
  return [
    ...(rows > 0 ? [shown] : []),
    ...(gone > 0 ? [counted(gone, 'row no longer matches', 'rows no longer match')] : []),
    ...(tooLarge > 0
      ? [counted(tooLarge, 'payload was too large to search', 'payloads were too large to search')]
      : []),
  ].join('. ')
}
