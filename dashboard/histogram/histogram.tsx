import { useState } from 'preact/hooks'
import type { Histogram as Counts } from '../../src/server/api/schemas/responses.ts'
import { get, serverTime } from '../api/client.ts'
import { serverSearchOf, valueIn, withValues } from '../deliveries/search.ts'
import { usePolled } from '../ui/resource.ts'
import { HistogramTable } from './histogram-table.tsx'
import { Plot } from './plot.tsx'
import { type Range, searchWithin, wholeOf } from './range.ts'
import { rangeText, stepText, totalText } from './range-text.ts'
import './histogram.css'

const interval = 15_000

/** The received deliveries of the search by time. The operator chooses a range, which becomes part of the search. */
export function Histogram({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const { value: counts } = usePolled(`histogram ${text}`, interval, (signal) =>
    get<Counts>('histogram', { ...serverSearchOf(text, serverTime()) }, signal),
  )
  /** The range that the operator is choosing by keyboard. */
  const [chosen, choose] = useState<Range>()
  /** The steps under the mouse. */
  const [pointed, point] = useState<Range>()
  const [isTable, setTable] = useState(false)
  const isLimited = valueIn(text, 'since') !== '' || valueIn(text, 'until') !== ''
  const show = (range: Range) => {
    choose(undefined)
    point(undefined)
    if (counts) onSearch(searchWithin(text, counts, range))
  }
  const described = counts && (pointed ?? chosen)
  return (
    <section class="histogram" aria-label="Received deliveries by time">
      <div class="caption small">
        <span class="soft" role={chosen ? 'status' : undefined}>
          {counts && described && `${rangeText(counts, described)}: ${totalText(counts, described)}`}
          {counts && !described && `${totalText(counts, wholeOf(counts))}, ${stepText(counts)}`}
          {counts &&
            !described &&
            isOfAll(counts, text) &&
            '. These are all deliveries: the search has too many to count'}
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
