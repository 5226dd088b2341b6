import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Series } from '../../src/server/api/schemas/responses.ts'
import { Rate } from '../statistics/rate.tsx'
import { byHandler } from '../statistics/totals.ts'
import { windows } from '../statistics/windows.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { count } from '../ui/units.ts'

/** Attempts, by handler. */
export function ByHandler({ series, window }: { series: Series; window: WindowName }) {
  const rows = byHandler(series)
  return (
    <section class="card">
      <header>
        <h2>Attempts by handler</h2>
      </header>
      {rows.length === 0 ? (
        <p class="body soft">No handler ran in {windows[window].lasting}.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
        <section class="scrolls" tabIndex={0} aria-label="Attempts by handler">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Handler</th>
                <th scope="col">Success</th>
                {['Attempts', 'Succeeded', 'Failed', 'Dead'].map((name) => (
                  <th key={name} scope="col" class="end">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ handler, attempts, succeeded, failed, dead, rate }) => (
                <tr key={handler}>
                  <th scope="row">
                    <a class="foreign" href={searchFor({ handler })}>
                      {plain(handler)}
                    </a>
                  </th>
                  <td>
                    <Rate share={rate} />
                  </td>
                  {[attempts, succeeded, failed, dead].map((number, index) => (
                    <td key={index} class="end number">
                      {count(number)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}
