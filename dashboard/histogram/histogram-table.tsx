import type { Histogram } from '../../src/server/api/schemas/responses.ts'
import { count } from '../ui/units.ts'
import { timeText } from './range-text.ts'

/** The steps in which deliveries were received, newest first. */
export function HistogramTable({ counts }: { counts: Histogram }) {
  const { since, step, received, failed } = counts
  const rows = received.map((number, index) => ({ at: since + index * step, number, failures: failed?.[index] ?? 0 }))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <section class="scrolls" tabIndex={0} aria-label="Received deliveries by time, as a table">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col" class="end">
              Received
            </th>
            {failed && (
              <th scope="col" class="end">
                Failed
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows
            .filter(({ number, failures }) => number + failures > 0)
            .map(({ at, number, failures }) => (
              <tr key={at}>
                <th scope="row" class="number">
                  {timeText(counts, at)}
                </th>
                <td class="end number">{count(number)}</td>
                {failed && <td class="end number">{count(failures)}</td>}
              </tr>
            ))
            .toReversed()}
        </tbody>
      </table>
    </section>
  )
}
