import { useState } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { clockText, exact, now } from '../ui/time.tsx'
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
  discarded: { icon: 'bin', tone: 'off' },
  released: { icon: 'none', tone: 'off' },
  'cut off': { icon: 'cross', tone: 'warn' },
  next: { icon: 'clock', tone: 'busy' },
}

function TimelineStep({ step }: { step: Step }) {
  const { name, at, after, since, says, outcome, handler } = step
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
        <span class="small">{outcome === 'next' ? <Countdown at={at} /> : <When {...{ at, after, since }} />}</span>
      )}
      {says !== '' && <span class="small foreign">{plain(says, 120)}</span>}
    </li>
  )
}

/**
 * The time of a step. The first step shows the time of day. A later step shows the time since an earlier step, or
 * `earlier` if the clocks of two machines differ.
 */
function When({ at, after, since }: { at: number } & Pick<Step, 'after' | 'since'>) {
  const said = after === undefined ? clockText(at, now.value) : after < 0 ? 'earlier' : `+${duration(after)}`
  const title = after === undefined || after < 0 ? exact(at) : `${exact(at)}, ${duration(after)} after ${since}`
  return (
    <time dateTime={new Date(at).toISOString()} title={title}>
      {said}
    </time>
  )
}

/** The time that remains, updated every second. */
export function Countdown({ at }: { at: number }) {
  const left = at - now.value
  return (
    <time class="number" dateTime={new Date(at).toISOString()} title={exact(at)}>
      {left <= 0 ? 'due now' : `in ${duration(Math.ceil(left / 1000) * 1000)}`}
    </time>
  )
}
