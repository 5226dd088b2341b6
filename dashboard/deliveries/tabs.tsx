import type { DeliveryState } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { inboxCounts } from '../shell/inbox-counts.ts'
import { count } from '../ui/units.ts'
import { valueIn, withValues } from './search.ts'
import './tabs.css'

/** Each tab has the deliveries in these states. Without states: all deliveries. */
const tabs: readonly { name: string; states: readonly DeliveryState[]; means: string }[] = [
  { name: 'All', states: [], means: 'All deliveries' },
  { name: 'Failures', states: ['dead', 'retrying'], means: 'A handler failed: dead and retrying deliveries' },
  { name: 'Dead', states: ['dead'], means: 'A handler failed, and will not be retried' },
  { name: 'Waiting', states: ['pending'], means: 'No attempt has started: pending deliveries' },
]

/**
 * Links to the deliveries in common states, with their numbers. A tab changes only the states of the search. The numbers
 * are those of all deliveries, so a search with other conditions hides them.
 */
export function Tabs({ text }: { text: string }) {
  const counts = inboxCounts.value
  const state = valueIn(text, 'state')
  const hasNumbers = counts !== undefined && withValues(text, { state: '' }) === ''
  const all = counts && Object.values(counts.states).reduce((sum, one) => sum + one, 0)
  return (
    <nav class="state-tabs" aria-label="Deliveries by state">
      {tabs.map(({ name, states, means }) => {
        const value = states.join(',')
        const number = states.length === 0 ? all : counts && states.reduce((sum, one) => sum + counts.states[one], 0)
        return (
          <a
            key={name}
            href={linkTo('deliveries', { q: withValues(text, { state: value }) })}
            title={means}
            aria-current={sorted(state) === value ? 'page' : undefined}
          >
            {name} {hasNumbers && <Total value={number ?? 0} bad={name === 'Dead'} />}
          </a>
        )
      })}
      <a href={linkTo('rejections')} title="Requests that the server rejected, and how many of them in the last hour">
        Rejected{' '}
        {counts && (
          <>
            <Total value={counts.rejected} /> <span class="hidden-visually">in the last hour</span>
          </>
        )}
      </a>
    </nav>
  )
}

/** The order of the states does not matter. The states of a tab are sorted. */
const sorted = (states: string): string => states.split(',').sort().join(',')

const Total = ({ value, bad = false }: { value: number; bad?: boolean }) => (
  <span class={`tag number ${bad && value > 0 ? 'dead' : ''}`}>{count(value)}</span>
)
