import type { Failures as Answer } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { route } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { useKeys } from '../ui/keys.ts'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { counted } from '../ui/units.ts'
import { FailurePage } from './failure-page.tsx'
import { FailureRow } from './failure-row.tsx'
import './failures.css'

const interval = 5000

/** The failure groups, or one of them. */
export function Failures() {
  const [, id] = route.value.path
  return id === undefined ? <FailureList /> : <FailurePage key={id} id={id} />
}

function FailureList() {
  const { handler, cursor } = route.value.search
  const key = JSON.stringify([handler, cursor])
  const { value, error, reload } = usePolled(key, interval, (signal) => {
    return get<Answer>('failures', { handler, cursor }, signal)
  })
  useKeys({ j: () => focusRow(1), k: () => focusRow(-1) })
  return (
    <div class="failures">
      <div class="heading">
        <h1>Failures</h1>
        <span class="soft small" role="status">
          {value && counted(value.total, 'group', 'groups')}
        </span>
        {handler !== undefined && (
          <a class="button slim" href={linkTo('failures')}>
            All handlers
          </a>
        )}
      </div>
      {handler !== undefined && (
        <p>
          Failures of <strong class="foreign">{plain(handler, 120)}</strong>
        </p>
      )}
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {value && value.failures.length === 0 && <NoFailures />}
      {value && value.failures.length > 0 && <Table {...value} onDone={reload} />}
      <nav class="pages" aria-label="Pages">
        {cursor !== undefined && (
          <a class="button" href={linkTo('failures', { handler })}>
            Latest
          </a>
        )}
        {value?.next !== undefined && (
          <a class="button" href={linkTo('failures', { handler, cursor: value.next })}>
            Earlier
          </a>
        )}
      </nav>
    </div>
  )
}

function Table({ failures, onDone }: Answer & { onDone: () => void }) {
  return (
    <table class="groups" aria-label="Failure groups, the latest failure first">
      <thead>
        <tr>
          {['Failure', 'Tasks', 'Last 24 hours', 'First and last', 'Repositories'].map((name) => (
            <th key={name} scope="col" class={name.split(' ', 1)[0]?.toLowerCase()}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {failures.map((failure) => (
          <FailureRow key={failure.id} failure={failure} onDone={onDone} />
        ))}
      </tbody>
    </table>
  )
}

function NoFailures() {
  return (
    <div class="blank">
      <h2>No failures</h2>
      <p>No task is dead or waits for a retry. Deliveries that no handler saw are in the list of deliveries.</p>
    </div>
  )
}

/** Moves the focus to the link of the next or the previous row. */
function focusRow(step: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>('.groups a.open')]
  const current = links.indexOf(document.activeElement as HTMLElement)
  links[current < 0 ? 0 : current + step]?.focus()
}
