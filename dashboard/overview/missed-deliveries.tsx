import { useState } from 'preact/hooks'
import type { MissedDelivery } from '../../src/server/api/schemas/responses.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { Ago, exact, now, relative } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import { dayAndTime } from './time-format.ts'

const initialRows = 10

/** The missed deliveries, newest first. */
export function MissedDeliveries({ deliveries }: { deliveries: readonly MissedDelivery[] }) {
  const [all, setAll] = useState(false)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <section class="scrolls" tabIndex={0} aria-label="Missed deliveries">
        <table class="table">
          <thead>
            <tr>
              {['Event', 'Sent', 'Status at GitHub', 'State', 'Available from GitHub'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {deliveries.slice(0, all ? undefined : initialRows).map((delivery) => (
              <Row key={`${delivery.hookId} ${delivery.guid}`} delivery={delivery} />
            ))}
          </tbody>
        </table>
      </section>
      {deliveries.length > initialRows && (
        <button type="button" class="button slim" aria-pressed={all} onClick={() => setAll(!all)}>
          Show all {count(deliveries.length)}
        </button>
      )}
    </>
  )
}

function Row({ delivery }: { delivery: MissedDelivery }) {
  const { event, action, guid, target, deliveredAt, status, state, requests, expiresAt } = delivery
  const name = plain(action === undefined ? event : `${event}.${action}`)
  return (
    <tr>
      <th scope="row" class="foreign">
        {state === 'received' ? <a href={searchFor({ guid })}>{name}</a> : name}
        <span class="soft line">{plain(target)}</span>
      </th>
      <td>
        <Ago at={deliveredAt} />
      </td>
      <td class="foreign">{plain(status)}</td>
      <td>
        {state}
        {requests > 1 && <span class="soft line">requested {count(requests)} times</span>}
      </td>
      <td class="number" title={exact(expiresAt)}>
        {expiresAt > now.value ? `until ${dayAndTime(expiresAt)} (${relative(expiresAt, now.value)})` : 'expired'}
      </td>
    </tr>
  )
}
