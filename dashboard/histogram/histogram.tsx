import { useState } from 'preact/hooks'
import type { Histogram as Counts } from '../../src/server/api/schemas/responses.ts'
import { get, serverTime } from '../api/client.ts'
import { serverSearchOf, valueIn, withValues } from '../deliveries/search.ts'
import { usePolled } from '../ui/resource.ts'
import { HistogramTable } from './histogram-table.tsx'
import { Plot } from './plot.tsx'
import { fitted, type Range, rangeBetween, type Span, searchWithin, wholeOf, withOpenEnds } from './range.ts'
import { rangeText, stepText, totalText } from './range-text.ts'
import './histogram.css'
import { utc } from '../ui/preferences.ts'

const interval = 15_000

/** The received deliveries of the search by time. The operator chooses a range, which becomes part of the search. */
export function Histogram({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const { value, isCurrent, error } = usePolled(`histogram ${text} ${utc.value}`, interval, (signal) =>
    get<Counts>('histogram', { ...serverSearchOf(text, serverTime(), utc.value) }, signal),
  )
  const counts = value?.covers === 'none' ? undefined : value
  /** The range that the operator is choosing by keyboard, and the search to which it belongs. */
  const [choice, setChoice] = useState<{ of: string; range: Range }>()
  const chosen = counts && choice?.of === text ? fitted(counts, choice.range) : undefined
  const choose = (range: Range | undefined) =>
    setChoice(counts && range && { of: text, range: withOpenEnds(counts, range) })
  /** Where the mouse is. */
  const [pointed, point] = useState<Span>()
  const [isTable, setTable] = useState(false)
  const isLimited = valueIn(text, 'since') !== '' || valueIn(text, 'until') !== ''
  const show = (range: Range) => {
    choose(undefined)
    point(undefined)
    // The ends of an earlier search's counts say nothing about this search.
    if (counts && isCurrent) onSearch(searchWithin(text, counts, range))
  }
  const described = counts && pointed ? rangeBetween(counts, pointed) : chosen
  return (
    <section class={`histogram ${isCurrent ? '' : 'stale'}`} aria-label="Received deliveries by time">
      <div class="caption small">
        <span class="soft" role={chosen ? 'status' : undefined}>
          {counts && described && `${rangeText(counts, described)}: ${totalText(counts, described)}`}
          {counts && !described && `${totalText(counts, wholeOf(counts))}, ${stepText(counts)}`}
          {counts &&
            !described &&
            isOfAll(counts, text) &&
            '. These are all deliveries: those of the search take too long to count'}
          {value?.covers === 'none' &&
            'The deliveries of the search take too long to count, and the kept counts begin later'}
          {!value && error && 'The deliveries of this search could not be counted'}
        </span>
        {chosen && (
          <>
            <button type="button" class="button slim primary" onClick={() => show(chosen)}>
              Show this range
            </button>
            <button type="button" class="button slim" onClick={() => choose(undefined)}>
              Cancel
            </button>
          </>
        )}
        {!chosen && isLimited && (
          <button
            type="button"
            class="button slim"
            onClick={() => onSearch(withValues(text, { since: '', until: '' }))}
          >
            Any time
          </button>
        )}
        <button type="button" class="button plain slim" aria-expanded={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </div>
      <div class="area">
        {counts && <Plot counts={counts} chosen={chosen} onChoose={choose} onPoint={point} onShow={show} />}
      </div>
      {counts && isTable && <HistogramTable counts={counts} />}
    </section>
  )
}

/** Whether the counts include deliveries that the search does not find. */
const isOfAll = ({ covers }: Counts, text: string): boolean =>
  covers === 'all' && withValues(text, { since: '', until: '' }) !== ''
