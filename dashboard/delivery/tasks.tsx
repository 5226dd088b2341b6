import type { ComponentChildren } from 'preact'
import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { RetryHandlerButton } from '../operations/retry-handler-button.tsx'
import { StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { counted, duration } from '../ui/units.ts'
import { failingFirst } from './lanes.ts'
import { LongText } from './long-text.tsx'
import { Countdown } from './timeline.tsx'

/** The handlers of a delivery, each with its attempts. */
export function Tasks({ detail, reload }: { detail: DeliveryDetail; reload: () => void }) {
  const { tasks, state, event, pausedHandlers = [] } = detail
  return (
    <section class="card tasks" aria-labelledby="handlers">
      <header>
        <h2 id="handlers">Handlers</h2>
        <span class="soft small">{tasks.length > 0 && counted(tasks.length, 'handler', 'handlers')}</span>
      </header>
      {tasks.length === 0 && (
        <p class="body soft">
          {state === 'pending'
            ? 'This delivery has not been matched with handlers yet.'
            : state === 'ignored'
              ? `No handler matches ${plain(event, 80)}. Register one, then retry the delivery.`
              : 'No handler has run.'}
        </p>
      )}
      {failingFirst(tasks).map((task) => (
        <Task
          key={task.handler}
          task={task}
          isPaused={pausedHandlers.includes(task.handler)}
          // The operations of a delivery with one handler are at the top of the page.
          retryButton={tasks.length > 1 && <RetryHandlerButton id={detail.id} task={task} onDone={reload} />}
        />
      ))}
    </section>
  )
}

function Task(props: { task: TaskDetail; isPaused: boolean; retryButton: ComponentChildren }) {
  const { task, isPaused, retryButton } = props
  const { handler, state, key, blockedBy, nextAttemptAt, failureGroup, attempts } = task
  const newestFirst = attempts.toReversed()
  const failed = newestFirst.find(({ outcome }) => isFailure(outcome))
  return (
    <section class="task" aria-label={`Handler ${plain(handler, 120)}`}>
      <h3>
        <a class="foreign" href={linkTo(`handlers/${encodeURIComponent(handler)}`)}>
          {plain(handler, 120)}
        </a>{' '}
        <StateBadge state={state} />
      </h3>
      {key !== undefined && (
        <p
          class="soft small"
          title="Tasks of this handler with the same order key run one at a time, in order of receipt"
        >
          Order key: <span class="foreign">{plain(key, 120)}</span>
        </p>
      )}
      {isPaused && <p class="small">Waits: this handler is paused.</p>}
      {blockedBy !== undefined && (
        <p class="small">
          Waits: <a href={linkTo(`deliveries/${blockedBy}`)}>delivery {blockedBy}</a> with this order key has to end
          first.
        </p>
      )}
      {nextAttemptAt !== undefined && !isPaused && (
        <p class="small">
          Next attempt: <Countdown at={nextAttemptAt} />
        </p>
      )}
      {failureGroup !== undefined && (
        <a class="button slim" href={linkTo(`failures/${failureGroup}`)}>
          All failures with this error
        </a>
      )}{' '}
      {retryButton}
      {attempts.length === 0 && !isPaused && <p class="soft small">No attempt has started.</p>}
      {newestFirst.map((attempt) => (
        <Attempt key={attempt.number} attempt={attempt} isOpen={attempt === failed} />
      ))}
    </section>
  )
}

const isFailure = (outcome: AttemptDetail['outcome']): boolean => outcome === 'failed' || outcome === 'dead'

function Attempt({ attempt, isOpen }: { attempt: AttemptDetail; isOpen: boolean }) {
  const { number, startedAt, duration: took, outcome, error, result, log } = attempt
  const isEmpty = error === undefined && result === undefined && log === undefined
  const line = (
    <>
      <span class="number">Attempt {number}</span>
      <StateBadge state={outcome} />
      <span class="soft small">
        <Ago at={startedAt} />
        {took !== undefined && <span class="number">, took {duration(took)}</span>}
      </span>
    </>
  )
  if (isEmpty) return <p class="attempt nothing">{line}</p>
  return (
    <details class="attempt" open={isOpen}>
      <summary>{line}</summary>
      <div class="said">
        {error !== undefined && <LongText title="Error" text={error} />}
        {result !== undefined && <LongText title="Result" text={result} />}
        {log !== undefined && <LongText title="Log" text={log} />}
      </div>
    </details>
  )
}
