import { useState } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { exact, now } from '../ui/time.tsx'
import { duration } from '../ui/units.ts'
import { type Step, stepsOf } from './steps.ts'

/** How many steps of a long timeline are shown, at its beginning and at its end, until the user asks for the rest. */
const atFirst = 5
const atLast = 7

export function Timeline({ detail }: { detail: DeliveryDetail }) {
  const [isWhole, setWhole] = useState(false)
  const steps = stepsOf(detail)
  const left = isWhole ? 0 : steps.length - atFirst - atLast
  return (
    <section class="card timeline" aria-labelledby="timeline">
      <h2 id="timeline" class="hidden-visually">
        Timeline
      </h2>
      <ol>
        {(left > 1 ? steps.slice(0, atFirst) : steps).map((step, index) => (
          <TimelineStep key={index} step={step} />
        ))}
        {left > 1 && (
          <li class="more">
            <button type="button" class="button slim" onClick={() => setWhole(true)}>
              Show {left} more steps
            </button>
          </li>
        )}
        {left > 1 && steps.slice(-atLast).map((step, index) => <TimelineStep key={`last ${index}`} step={step} />)}
      </ol>
    </section>
  )
}

const looks: Readonly<Record<NonNullable<Step['outcome']>, { icon: IconName; tone: string }>> = {
  running: { icon: 'turning', tone: 'busy' },
  succeeded: { icon: 'done', tone: 'good' },
  failed: { icon: 'failed', tone: 'warn' },
  dead: { icon: 'failed', tone: 'bad' },
  discarded: { icon: 'bin', tone: '' },
  released: { icon: 'none', tone: '' },
  'cut off': { icon: 'cross', tone: 'warn' },
  next: { icon: 'clock', tone: 'busy' },
}

function TimelineStep({ step }: { step: Step }) {
  const { name, at, after, says, outcome, handler } = step
  const isUnverified = name === 'not verified'
  const { icon, tone } = outcome
    ? looks[outcome]
    : { icon: isUnverified ? ('warning' as const) : ('done' as const), tone: isUnverified ? 'warn' : '' }
  return (
    <li class={`${tone} ${outcome === 'next' ? 'next' : ''}`} title={at === undefined ? undefined : exact(at)}>
      <span class="mark">
        <Icon name={icon} />
      </span>
      <strong class="foreign">{handler === undefined ? name : plain(handler, 80)}</strong>
      {handler !== undefined && <span class="small">{name}</span>}
      {at !== undefined && (
        <span class="small">{outcome === 'next' ? <Countdown at={at} /> : <When at={at} after={after} />}</span>
      )}
      {says !== '' && <span class="small foreign">{plain(says, 120)}</span>}
    </li>
  )
}

/**
 * The time of a step. The first step shows the time of day. A later step shows the time since the previous step, or
 * `earlier` if it happened before the previous step.
 */
function When({ at, after }: { at: number; after: number | undefined }) {
  const said = after === undefined ? clock(at) : after < 0 ? 'earlier' : `+${duration(after)}`
  return <time dateTime={new Date(at).toISOString()}>{said}</time>
}

const clock = (at: number): string =>
  new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** The time that remains, updated every second. */
export function Countdown({ at }: { at: number }) {
  const left = at - now.value
  return (
    <time class="number" dateTime={new Date(at).toISOString()} title={exact(at)}>
      {left <= 0 ? 'due now' : `in ${duration(Math.ceil(left / 1000) * 1000)}`}
    </time>
  )
}
