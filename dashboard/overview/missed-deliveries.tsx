import { useState } from 'preact/hooks'
import type { Gap } from '../../src/server/api/schemas/responses.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { Ago, exact, now, relative } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import { dayAndTime } from './time-format.ts'

/** Rows that are shown at first. */
const first = 10

/** The missed deliveries. */
export function MissedDeliveries({ gaps }: { gaps: readonly Gap[] }) {
  const [all, setAll] = useState(false)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <section class="scrolls" tabIndex={0} aria-label="Missed deliveries">
        <table class="table">
          <thead>
            <tr>
              {['Event', 'Sent', 'GitHub says', 'Here', 'Kept by GitHub'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {gaps.slice(0, all ? undefined : first).map((gap) => (
              <Row key={`${gap.hookId} ${gap.guid}`} gap={gap} />
            ))}
          </tbody>
        </table>
      </section>
      {gaps.length > first && (
        <button type="button" class="button slim" aria-pressed={all} onClick={() => setAll(!all)}>
          Show all {count(gaps.length)}
        </button>
      )}
    </>
  )
}

function Row({ gap }: { gap: Gap }) {
  const { event, action, guid, target, deliveredAt, status, state, asked, keptUntil } = gap
  const name = plain(action === undefined ? event : `${event}.${action}`)
  return (
    <tr>
      <th scope="row" class="foreign">
        {state === 'arrived' ? <a href={searchFor({ guid })}>{name}</a> : name}
        <span class="soft line">{plain(target)}</span>
      </th>
      <td>
        <Ago at={deliveredAt} />
      </td>
      <td class="foreign">{plain(status)}</td>
      <td>
        {state}
        {asked > 1 && <span class="soft line">asked {count(asked)} times</span>}
      </td>
      <td class="number" title={exact(keptUntil)}>
        {keptUntil > now.value ? `until ${dayAndTime(keptUntil)} (${relative(keptUntil, now.value)})` : 'no more'}
      </td>
    </tr>
  )
}
