import { useEffect, useMemo } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { ApiError } from '../api/client.ts'
import { BulkButtons } from '../operations/bulk-buttons.tsx'
import { go, route } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { count, deliveries } from '../ui/units.ts'
import { ConnectionNote } from './connection-note.tsx'
import { InvalidSearch, NoDeliveriesYet, NoMatch } from './empty-states.tsx'
import { Filters } from './filters.tsx'
import { useListState } from './list-state.ts'
import { LiveList } from './live-list.ts'
import { Rows } from './rows.tsx'
import { SearchBox } from './search-box.tsx'
import './deliveries.css'

/** Changes the search of the list. */
export const search = (text: string): void => go(linkTo('deliveries', { q: text }))

/** The deliveries, newest first, updated as they change. */
export function Deliveries() {
  const { q = '', before } = route.value.search
  const list = useMemo(() => new LiveList(q, /^\d+$/.test(before ?? '') ? Number(before) : undefined), [q, before])
  useEffect(() => () => list.close(), [list])
  const reading = useListState(list)
  const { rows, gone, next, busy, looked, tooLarge, error } = list
  /** Whether these are all matches of the search. */
  const isWhole = before === undefined && next.value === undefined
  const matching = rows.value.length - gone.value.size
  const isEmpty = rows.value.length === 0 && !busy.value && !error.value
  return (
    <div class="deliveries">
      <h1 class="hidden-visually">Deliveries</h1>
      <SearchBox text={q} onSearch={search} />
      <Filters text={q} onSearch={search} />
      <div class={`toolbar ${reading.selected.value.size > 0 ? 'selecting' : ''}`}>
        {rows.value.length > 0 && (
          <BulkButtons
            text={q}
            rows={rows.value}
            selected={reading.selected}
            matching={isWhole ? matching : undefined}
          />
        )}
        <span class="soft small" role="status">
          {busy.value
            ? looked.value > 0
              ? `Looked through ${count(looked.value)}…`
              : 'Loading…'
            : rows.value.length > 0 &&
              (isWhole
                ? deliveries(matching)
                : `${before === undefined ? 'the newest' : 'older ones,'} ${rows.value.length}`)}
          {gone.value.size > 0 && `, and ${count(gone.value.size)} that no longer match`}
          {tooLarge.value > 0 && ` (${count(tooLarge.value)} with a payload too large to search)`}
        </span>
        {gone.value.size > 0 && (
          <button type="button" class="button slim" onClick={() => void list.load()}>
            Remove them
          </button>
        )}
        <button
          type="button"
          class="button slim end"
          title="New deliveries wait while it is paused"
          onClick={() => (reading.paused.value = !reading.paused.value)}
        >
          <Icon name={reading.paused.value ? 'play' : 'pause'} />
          {reading.paused.value ? 'Resume updates' : 'Pause updates'}
        </button>
      </div>
      <ConnectionNote connection={list.connection} />
      {/* One announcement for all new rows, so that screen readers are not interrupted again and again. */}
      <div class="hidden-visually" role="status">
        {list.waiting.value.length > 0 && 'New deliveries wait'}
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
          <InvalidSearch error={error.value} />
        ) : (
          <Failure error={error.value} again={() => void list.load()} />
        ))}
      {isEmpty &&
        (q === '' ? before === undefined && <NoDeliveriesYet /> : <NoMatch text={q} onClear={() => search('')} />)}
      {rows.value.length > 0 && <Rows rows={rows.value} reading={reading} stale={busy.value || Boolean(error.value)} />}
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
  )
}
