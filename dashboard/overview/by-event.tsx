import { useState } from 'preact/hooks'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Series } from '../../src/server/api/schemas/responses.ts'
import { Sparkline } from '../statistics/sparkline.tsx'
import { byEvent } from '../statistics/totals.ts'
import { windows } from '../statistics/windows.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { count } from '../ui/units.ts'

/** Rows that are shown at first. */
const first = 10

/** Received deliveries, by event. */
export function ByEvent({ series, window }: { series: Series; window: WindowName }) {
  const [all, setAll] = useState(false)
  const rows = byEvent(series)
  const { lasting } = windows[window]
  return (
    <section class="card">
      <header>
        <h2>Received by event</h2>
        {rows.length > first && (
          <button type="button" class="button plain slim end" aria-pressed={all} onClick={() => setAll(!all)}>
            Show all {count(rows.length)}
          </button>
        )}
      </header>
      {rows.length === 0 ? (
        <p class="body soft">No deliveries in {lasting}.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
        <section class="scrolls" tabIndex={0} aria-label="Received by event">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Event</th>
                <th scope="col" class="course">
                  In {lasting}
                </th>
                <th scope="col" class="end">
                  Received
                </th>
                <th scope="col" class="end">
                  Duplicates
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, all ? undefined : first).map(({ event, counts, total, duplicates }) => (
                <tr key={event}>
                  <th scope="row">
                    <a class="foreign" href={searchFor({ event })}>
                      {plain(event)}
                    </a>
                  </th>
                  <td>
                    <Sparkline counts={counts} />
                  </td>
                  <td class="end number">{count(total)}</td>
                  <td class="end number">{count(duplicates)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}
