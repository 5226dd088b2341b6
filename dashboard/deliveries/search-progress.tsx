import { linkTo } from '../address.ts'
import { count, deliveries } from '../ui/units.ts'
import type { LiveList } from './live-list.ts'

/**
 * How far a search has got that takes several requests, with a button to stop it. After it was stopped, a link to
 * continue it.
 */
export function SearchProgress({ text, list }: { text: string; list: LiveList }) {
  const looked = list.looked.value
  const isSearching = list.busy.value && looked > 0
  const isStopped = list.stopped.value && !list.busy.value
  if (!isSearching && !isStopped) return null
  const all = looked + list.left.value
  return (
    <div class="note search-progress">
      <span role="status">
        {isStopped ? 'Stopped: searched ' : 'Searched '}
        {count(looked)} of {deliveries(all)}
      </span>
      {isSearching && <progress value={looked} max={all} aria-label="Searched deliveries" />}
      {isSearching && (
        <button type="button" class="button slim" disabled={list.stopped.value} onClick={() => list.stop()}>
          Stop
        </button>
      )}
      {isStopped && (
        <a class="button slim" href={linkTo('deliveries', { q: text, before: list.next.value })}>
          Continue
        </a>
      )}
    </div>
  )
}
