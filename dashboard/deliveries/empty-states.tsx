import { deliveryStates } from '../../src/inbox/records.ts'
import { suggestion } from '../../src/runtime/nearest.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { namesIn, valueIn } from './search.ts'

/** Shown if no delivery matches the search. */
export function NoMatch({ text, onClear }: { text: string; onClear: () => void }) {
  const paths = namesIn(text).filter((name) => name.includes('.'))
  return (
    <section class="blank">
      <h2>No delivery matches</h2>
      {paths.map((path) => (
        <p key={path}>
          <code class="foreign">{plain(path, 100)}</code> is a path, so the search looked for it in payloads.
        </p>
      ))}
      <p>Check the filters above, or choose a longer time range. New matches appear here.</p>
      <button type="button" class="button" onClick={onClear}>
        Show all deliveries
      </button>
    </section>
  )
}

/** Shown if the search is not valid: the operator must correct it. */
export function InvalidSearch({ text, error }: { text: string; error: Error }) {
  const state = valueIn(text, 'state')
  const isUnknown = /^\w+$/.test(state) && !deliveryStates.some((one) => one === state)
  return (
    <div class="note bad" role="alert">
      <Icon name="warning" />
      <span class="foreign">
        {isUnknown
          ? `Unknown state “${state}”.${suggestion(state, deliveryStates) || ` The states are ${deliveryStates.join(', ')}.`}`
          : `The search is not valid. ${error.message.replaceAll(/(^|; )q\./g, '$1')}`}
      </span>
    </div>
  )
}
