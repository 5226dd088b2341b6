import { auditActions } from '../../src/inbox/audit-log.ts'
import { allHandlers } from '../../src/inbox/pauses.ts'
import type { AuditLog as Answer, AuditEntry } from '../../src/server/api/schemas/operators.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { go, route } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { counted, deliveries } from '../ui/units.ts'
import './audit.css'

const interval = 10_000

/** What operators changed, the newest entries first. */
export function Audit() {
  const { action, person, access, cursor } = route.value.search
  const key = JSON.stringify([action, person, access, cursor])
  const { value, error, reload } = usePolled(key, interval, (signal) => {
    return get<Answer>('audit', { action, person, access, cursor }, signal)
  })
  return (
    <div class="audit">
      <div class="heading">
        <h1>Audit log</h1>
        <label>
          <span class="soft small">Action</span>{' '}
          <select
            class="field"
            value={action ?? ''}
            onChange={({ currentTarget }) => go(linkTo('audit', { action: currentTarget.value, person, access }))}
          >
            <option value="">All</option>
            {auditActions.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        {person !== undefined && (
          <a class="button slim" href={linkTo('audit', { action })}>
            Everyone, not only {plain(person, 60)}
          </a>
        )}
      </div>
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {value && value.entries.length === 0 && (
        <div class="blank">
          <h2>No entries</h2>
          <p>An action that failed or changed nothing has no entry.</p>
        </div>
      )}
      {value && value.entries.length > 0 && <Table entries={value.entries} action={action} />}
      <nav class="pages" aria-label="Pages">
        {cursor !== undefined && (
          <a class="button" href={linkTo('audit', { action, person, access })}>
            Latest
          </a>
        )}
        {value?.next !== undefined && (
          <a class="button" href={linkTo('audit', { action, person, access, cursor: value.next })}>
            Earlier
          </a>
        )}
      </nav>
    </div>
  )
}

function Table({ entries, action }: { entries: readonly AuditEntry[]; action: string | undefined }) {
  return (
    <table aria-label="Audit log, the newest entries first">
      <thead>
        <tr>
          {['When', 'Who', 'Action', 'Target'].map((name) => (
            <th key={name} scope="col" class={name.toLowerCase()}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td>
              <Ago at={entry.at} />
            </td>
            <td>
              <Who entry={entry} action={action} />
            </td>
            <td>
              {entry.action} {resultOf(entry)}
            </td>
            <td>
              <Target entry={entry} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/**
 * A token belongs to no person, so its entries show the address. The link also selects the access, because a user of the
 * operating system can have the same name as another person on GitHub.
 */
function Who({ entry: { person, access, address }, action }: { entry: AuditEntry; action: string | undefined }) {
  return (
    <>
      {person !== undefined && (
        <a class="foreign" href={linkTo('audit', { action, person, access })}>
          {plain(person, 60)}
        </a>
      )}{' '}
      <span class="soft">{access}</span> {address !== undefined && <span class="soft small">{address}</span>}
    </>
  )
}

/** The number of deliveries or tasks, for the actions that concern any. */
function resultOf({ action, target, count }: AuditEntry): string {
  if (['pause', 'resume', 'login', 'logout'].includes(action)) return ''
  return target.failureGroup === undefined ? deliveries(count) : counted(count, 'task', 'tasks')
}

/** The number of deliveries of an entry that have a link. */
const maxLinks = 10

function Target({ entry: { target, deliveries: ids, count } }: { entry: AuditEntry }) {
  const { search, handler, failureGroup, schedule, event, webhooks, reason } = target
  const texts = [handler === allHandlers ? 'all handlers' : handler, schedule, event, ...(webhooks ?? [])]
  return (
    <>
      {search === '' ? 'all deliveries' : search !== undefined && <code class="foreign">{plain(search)}</code>}{' '}
      <span class="foreign">{texts.flatMap((text) => (text === undefined ? [] : [plain(text, 120)])).join(', ')}</span>{' '}
      {failureGroup !== undefined && <a href={linkTo(`failures/${failureGroup}`)}>failure group</a>}{' '}
      {ids.slice(0, maxLinks).flatMap((id) => [
        <a key={id} class="number" href={linkTo(`deliveries/${id}`)}>
          {id}
        </a>,
        ' ',
      ])}
      {ids.length > 0 && count > maxLinks && '…'}
      {reason !== undefined && <div class="soft small foreign">{plain(reason)}</div>}
    </>
  )
}
