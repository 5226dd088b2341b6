import type { FailureDetail } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { ApiError, get } from '../api/client.ts'
import { LongText } from '../delivery/long-text.tsx'
import { go } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.ts'
import { usePolled } from '../ui/resource.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { Ago, Exact } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import { FailureButtons } from './failure-buttons.tsx'
import { Hours, Returned, TaskCounts } from './failure-row.tsx'

const interval = 5000

/** A failure group with its newest failure. */
export function FailurePage({ id }: { id: string }) {
  const { value, error, reload } = usePolled(id, interval, (signal) => {
    return get<FailureDetail>(`failures/${encodeURIComponent(id)}`, {}, signal)
  })
  useKeys({ Escape: () => go(linkTo('failures')) })
  const isResolved = error instanceof ApiError && error.status === 404
  return (
    <div class="failures">
      <div class="heading">
        <a class="button plain slim back" href={linkTo('failures')} title="Back to the failures (Esc)">
          <Icon name="next" />
          Failures
        </a>
        <h1 class="foreign">{value ? plain(value.handler, 120) : 'Failure'}</h1>
        {value && <Returned failure={value} />}
        {value && !isResolved && (
          <div class="end">
            <FailureButtons failure={value} onDone={reload} />
          </div>
        )}
      </div>
      {isResolved && (
        <p class="note" role="status">
          No failures of this group are left: its tasks have ended or failed with another error, or their deliveries
          were deleted.
        </p>
      )}
      {error && !isResolved && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {value && <Group group={value} />}
      {value?.example && <Example {...value.example} />}
    </div>
  )
}

function Group({ group }: { group: FailureDetail }) {
  const { id, error, firstAt, lastAt, repositories, hours, tasks } = group
  return (
    <section class="card" aria-label="Failure group">
      <p class="body error">
        <code class="foreign">{plain(error, 400)}</code>
      </p>
      <dl>
        <div>
          <dt>Tasks</dt>
          <dd>
            <TaskCounts tasks={tasks} />
            <a href={searchFor({ failure: String(id) })}>Deliveries with this failure</a>
          </dd>
        </div>
        <div>
          <dt>Last 24 hours</dt>
          <dd>
            <Hours hours={hours} />
          </dd>
        </div>
        <div>
          <dt>First failure</dt>
          <dd>
            <Exact at={firstAt} />
          </dd>
        </div>
        <div>
          <dt>Last failure</dt>
          <dd>
            <Exact at={lastAt} />
          </dd>
        </div>
        {repositories.length > 0 && (
          <div>
            <dt>Repositories</dt>
            <dd>
              {repositories.map(({ repository, count: number }) => (
                <div key={repository} class="foreign">
                  {plain(repository, 140)} <span class="number soft">{count(number)}</span>
                </div>
              ))}
            </dd>
          </div>
        )}
      </dl>
    </section>
  )
}

function Example({ id, event, action, title, repository, receivedAt, attempt }: NonNullable<FailureDetail['example']>) {
  const name = action === undefined ? event : `${event}.${action}`
  return (
    <section class="card" aria-labelledby="example">
      <header>
        <h2 id="example">Newest failure</h2>
        <a href={linkTo(`deliveries/${id}`)}>Delivery {id}</a>
        <span class="soft small foreign">
          {[name, repository, title].map((text) => plain(text ?? '', 140)).join(' ')}
        </span>
        <span class="soft small">
          received <Ago at={receivedAt} />
        </span>
      </header>
      <div class="body said">
        {attempt === undefined && <p class="soft">The attempt is not stored.</p>}
        {attempt && (
          <h3>
            Attempt {attempt.number}, <Exact at={attempt.startedAt} />
          </h3>
        )}
        {attempt?.error !== undefined && <LongText title="Error" text={attempt.error} />}
        {attempt?.log !== undefined && <LongText title="Log" text={attempt.log} />}
        {attempt?.outcome === 'cut off' && <p>The process of the handler ended or did not respond.</p>}
      </div>
    </section>
  )
}
