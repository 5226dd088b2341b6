import type { AttemptDetail, DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { count, counted } from '../ui/units.ts'
import { Countdown } from './timeline.tsx'

interface Failed {
  handler: string
  state: string
  attempts: number
  failures: number
  nextAttemptAt: number | undefined
  attempt: AttemptDetail
}

/** Explains why a delivery is not done. */
export function FailureNote({ detail }: { detail: DeliveryDetail }) {
  const failed = failedTasks(detail)
  if (failed.length === 0 && detail.reason === undefined) return null
  return (
    <div class="why">
      {detail.reason !== undefined && (
        <p class={`note ${detail.state === 'dead' ? 'bad' : 'warn'}`}>
          <Icon name="warning" />
          <span>
            {labelOf(detail)}: <strong class="foreign">{plain(detail.reason, 600)}</strong>
          </span>
        </p>
      )}
      {failed.map(({ handler, state, attempts, failures, nextAttemptAt, attempt }) => (
        <p key={handler} class={`note ${state === 'dead' ? 'bad' : 'warn'}`}>
          <Icon name="failed" />
          <span>
            <strong class="foreign">{plain(handler, 120)}</strong> failed {count(failures)} of{' '}
            {counted(attempts, 'attempt', 'attempts')}
            {nextAttemptAt !== undefined && (
              <>
                {', next attempt '}
                <Countdown at={nextAttemptAt} />
              </>
            )}
            : <code class="foreign">{plain(firstLine(attempt.error ?? attempt.outcome), 400)}</code>
          </span>
        </p>
      ))}
    </div>
  )
}

function labelOf({ state, tasks }: DeliveryDetail): string {
  if (state === 'discarded') return 'Discarded'
  return tasks.length === 0 ? 'No handler ran' : 'Not fully handled'
}

function failedTasks({ tasks }: DeliveryDetail): Failed[] {
  return tasks.flatMap(({ handler, state, attempts, nextAttemptAt }) => {
    const failures = attempts.filter(({ outcome }) => ['failed', 'dead', 'cut off'].includes(outcome))
    const attempt = failures.at(-1)
    if (!attempt || (state !== 'dead' && state !== 'retrying')) return []
    return [{ handler, state, attempts: attempts.length, failures: failures.length, nextAttemptAt, attempt }]
  })
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''
