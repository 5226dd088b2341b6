import { useId } from 'preact/hooks'
import type { Handler, Stats } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { mayAct } from '../session/session.ts'
import { Rate } from '../statistics/rate.tsx'
import { Sparkline } from '../statistics/sparkline.tsx'
import type { HandlerRow } from '../statistics/totals.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { count, counted } from '../ui/units.ts'
import { optionsOf } from './options.ts'
import { PauseButton } from './pause-button.tsx'

/** A handler: its events, statistics, and options. */
export function HandlerCard(props: {
  handler: Handler
  day: HandlerRow | undefined
  week: HandlerRow | undefined
  paused: 'no' | 'itself' | 'with all'
  /** The numbers of deliveries of all handlers, by state. */
  states: Stats['states']
  onDone: () => void
}) {
  const { handler, day, week, paused, states, onDone } = props
  const { name, events, replies, elsewhere, options, lastFailure, schedule } = handler
  const id = useId()
  return (
    <section class="card" aria-labelledby={id}>
      <header>
        <h2 id={id} class="foreign">
          <a href={searchFor({ handler: name })}>{plain(name)}</a>
        </h2>
        {paused !== 'no' && <span class="tag paused">{paused === 'itself' ? 'paused' : 'all paused'}</span>}
        {elsewhere && <span class="tag">in another process</span>}
        {!events && !elsewhere && <span class="tag">not registered</span>}
        {replies !== undefined && (
          <span
            class="tag"
            title={replies ? 'Without an inbox, its return value is the reply' : 'Its return value is never the reply'}
          >
            {replies ? 'hook' : 'listener'}
          </span>
        )}
        {mayAct.value && paused !== 'with all' && (
          <div class="end">
            <PauseButton name={name} paused={paused === 'itself'} onDone={onDone} />
          </div>
        )}
      </header>
      <div class="body">
        {events && (
          <p class="events">
            <span class="soft">Handles</span>
            {events.map((event) => (
              <span key={event} class="tag foreign">
                {event === '*' ? '* (all events)' : plain(event)}
              </span>
            ))}
          </p>
        )}
        {schedule && <ScheduleTimes {...schedule} />}
        <Success day={day} week={week} />
        <FailedDeliveries name={name} states={states} />
        {lastFailure ? <LastFailure {...lastFailure} /> : hasFailed(week) && <OldFailure />}
        {options && <Options options={options} />}
      </div>
    </section>
  )
}

/** When the handler of a schedule runs. */
function ScheduleTimes({ time, timezone, next }: NonNullable<Handler['schedule']>) {
  return (
    <p class="small">
      <span class="soft">Schedule</span> <code class="foreign">{plain(time)}</code>
      {timezone && <span class="soft foreign"> ({plain(timezone)})</span>}
      {', next time '}
      {next === undefined ? 'never' : <Ago at={next} />}
    </p>
  )
}

function Success({ day, week }: { day: HandlerRow | undefined; week: HandlerRow | undefined }) {
  return (
    <>
      {week && <Sparkline counts={week.counts} />}
      <dl class="numbers">
        {(
          [
            ['Success, 24 h', day],
            ['Success, 7 d', week],
          ] as const
        ).map(([span, row]) => (
          <div key={span}>
            <dt>{span}</dt>
            <dd>
              <Rate share={row?.rate} />
              <span class="soft small line">{counted(row?.attempts ?? 0, 'attempt', 'attempts')}</span>
            </dd>
          </div>
        ))}
        <div>
          <dt>Retried, 7 d</dt>
          <dd class="number">{count(week?.failed ?? 0)}</dd>
        </div>
        <div>
          <dt>Dead, 7 d</dt>
          <dd class="number">{count(week?.dead ?? 0)}</dd>
        </div>
      </dl>
    </>
  )
}

/**
 * Links to the failed deliveries of this handler. The list behind a link may be empty, because `states` counts the
 * deliveries of all handlers.
 */
function FailedDeliveries({ name, states }: { name: string; states: Stats['states'] }) {
  const shown = (['retrying', 'dead'] as const).filter((state) => states[state] > 0)
  if (shown.length === 0) return null
  return (
    <p class="small links">
      {shown.map((state) => (
        <a key={state} href={searchFor({ handler: name, state })}>
          Show {state} deliveries
        </a>
      ))}
    </p>
  )
}

function LastFailure({ id, at, error = '' }: NonNullable<Handler['lastFailure']>) {
  const [line = ''] = error.split('\n', 1)
  return (
    <p class="failure">
      <a href={linkTo(`deliveries/${id}`)}>
        Last failure <Ago at={at} />
      </a>{' '}
      <span class="foreign">{plain(line)}</span>
    </p>
  )
}

const hasFailed = (row: HandlerRow | undefined): boolean => row !== undefined && row.failed + row.dead > 0

/** The inbox looks for failures only among the newest attempts, because it has no index of failures. */
const OldFailure = () => <p class="soft small">The last failure is not among the newest attempts of all handlers.</p>

function Options({ options }: { options: Readonly<Record<string, unknown>> }) {
  return (
    <dl class="options small">
      {optionsOf(options).map(({ name, text, isDefault }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={isDefault ? 'soft' : ''}>{text}</dd>
        </div>
      ))}
    </dl>
  )
}
