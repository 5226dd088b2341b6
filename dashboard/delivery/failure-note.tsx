import type { AttemptDetail, DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { counted } from '../ui/units.ts'
import { Countdown } from './timeline.tsx'

interface Failed {
  handler: string
  state: string
  attempts: number
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
      {failed.map(({ handler, state, attempts, nextAttemptAt, attempt }) => (
        <p key={handler} class={`note ${state === 'dead' ? 'bad' : 'warn'}`}>
          <Icon name="failed" />
          <span>
            <strong class="foreign">{plain(handler, 120)}</strong>{' '}
            {state === 'dead' ? 'failed for the last time' : 'failed'} after {counted(attempts, 'attempt', 'attempts')}
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
    const attempt = attempts.findLast(
      ({ outcome }) => outcome === 'failed' || outcome === 'dead' || outcome === 'cut off',
    )
    if (!attempt || (state !== 'dead' && state !== 'retrying')) return []
    return [{ handler, state, attempts: attempts.length, nextAttemptAt, attempt }]
  })
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''
