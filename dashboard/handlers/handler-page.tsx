import { allHandlers } from '../../src/inbox/pauses.ts'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Handler, HandlerDetail, Percentiles } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { ApiError, get } from '../api/client.ts'
import { go, route } from '../route.ts'
import { mayAct } from '../session/session.ts'
import { Rate } from '../statistics/rate.tsx'
import { WindowLinks } from '../statistics/window-links.tsx'
import { windowIn, windows } from '../statistics/windows.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.ts'
import { usePolled } from '../ui/resource.ts'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'
import { Age, Ago } from '../ui/time.tsx'
import { count, duration } from '../ui/units.ts'
import { successOf } from './columns.ts'
import { ageChart, latencyChart, waitingChart } from './handler-charts.ts'
import { concurrencyOf, optionsOf } from './options.ts'
import { PauseButton } from './pause-button.tsx'
import { SmallChart } from './small-chart.tsx'
import { HandlerTags } from './tags.tsx'

/** Milliseconds between two polls. */
const interval = 5000

/** A handler: its figures, charts and options. */
export function HandlerPage({ name }: { name: string }) {
  const window = windowIn(route.value.search.window)
  const path = `handlers/${encodeURIComponent(name)}`
  const { value, error, reload } = usePolled(`${path} ${window}`, interval, async (signal) => {
    const [handler, { paused }] = await Promise.all([
      get<HandlerDetail>(path, { window }, signal),
      get<{ paused: string[] }>('stats', {}, signal),
    ])
    return { handler, paused, window }
  })
  useKeys({ Escape: () => go(linkTo('handlers', { window })) })
  if (error instanceof ApiError && error.status === 404) return <NoHandler name={name} />
  return (
    <div class="handlers">
      <div class="heading">
        <a class="button plain slim back" href={linkTo('handlers', { window })} title="Back to the handlers (Esc)">
          <Icon name="next" />
          Handlers
        </a>
        <h1 class="foreign">{plain(name, 120)}</h1>
        {value && <HandlerTags {...value} />}
        <div class="end">
          <WindowLinks path={path} chosen={window} />
          {value && mayAct.value && !value.paused.includes(allHandlers) && (
            <PauseButton name={name} paused={value.paused.includes(name)} onDone={reload} />
          )}
        </div>
      </div>
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {value && <Details {...value} />}
    </div>
  )
}

function NoHandler({ name }: { name: string }) {
  return (
    <div class="blank">
      <h1>There is no handler {plain(name, 80)}</h1>
      <p>No process that uses the inbox has registered it.</p>
      <a class="button" href={linkTo('handlers')}>
        All handlers
      </a>
    </div>
  )
}

function Details({ handler, window }: { handler: HandlerDetail; window: WindowName }) {
  const { name, events, options, lastFailure, schedule, series } = handler
  const { lasting } = windows[window]
  return (
    <>
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
      <Figures handler={handler} lasting={lasting} />
      <div class="links">
        <a href={searchFor({ handler: name })}>Deliveries of this handler</a>
        <a href={searchFor({ handler: name, state: 'dead' })}>Its dead deliveries</a>
        <a href={linkTo('failures', { handler: name })}>Its failures, by error</a>
      </div>
      {lastFailure && <LastFailure {...lastFailure} />}
      <div class="charts">
        <SmallChart title="Duration of attempts" data={latencyChart(series, series.durations)} value={duration} />
        <SmallChart title="From receipt to success" data={latencyChart(series, series.completions)} value={duration} />
        <SmallChart title="Waiting deliveries" data={waitingChart(series)} value={mean} />
        <SmallChart title="Longest wait" data={ageChart(series)} value={duration} />
      </div>
      {options && <Options options={options} />}
    </>
  )
}

/** A mean number. Below 10, it has a decimal. */
const mean = (value: number): string => (value < 10 ? String(Number(value.toFixed(1))) : count(Math.round(value)))

function Figures({ handler, lasting }: { handler: Handler; lasting: string }) {
  const { options, statistics } = handler
  const { attempts, failed, dead, durations, completions, running, waiting, waitingSince } = statistics
  const concurrency = options && concurrencyOf(options)
  return (
    <dl class="figures card">
      <div>
        <dt>Success in {lasting}</dt>
        <dd>
          <Rate share={successOf(handler)} />
          <span class="soft small line">
            {count(attempts)} attempts, {count(failed)} retried, {count(dead)} dead
          </span>
        </dd>
      </div>
      <Latency name="Duration of attempts" latency={durations} />
      <Latency name="From receipt to success" latency={completions} />
      <div>
        <dt>Running now</dt>
        <dd class="number">
          {count(running)}
          {concurrency !== undefined && (
            <span class="soft small line">at most {count(concurrency)} in each process</span>
          )}
        </dd>
      </div>
      <div>
        <dt>Waiting now</dt>
        <dd class="number">
          {count(waiting)}
          {waitingSince !== undefined && (
            <span class="soft small line">
              the first for <Age since={waitingSince} />
            </span>
          )}
        </dd>
      </div>
    </dl>
  )
}

function Latency({ name, latency }: { name: string; latency: Percentiles | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">
        {latency ? duration(latency.p50) : '–'}
        <span class="soft small line">
          {latency ? `median; p95 ${duration(latency.p95)}, p99 ${duration(latency.p99)}` : 'no attempt has ended'}
        </span>
      </dd>
    </div>
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

function LastFailure({ id, at, error = '' }: NonNullable<Handler['lastFailure']>) {
  const [line = ''] = error.split('\n', 1)
  return (
    <div class="failure">
      <a href={linkTo(`deliveries/${id}`)}>
        Last failure <Ago at={at} />
      </a>{' '}
      <span class="foreign">{plain(line)}</span>
    </div>
  )
}

function Options({ options }: { options: Readonly<Record<string, unknown>> }) {
  return (
    <section class="card" aria-labelledby="options">
      <header>
        <h2 id="options">Options</h2>
      </header>
      <dl class="options body">
        {optionsOf(options).map(({ name, text, isDefault }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={isDefault ? 'soft' : ''}>
              {text}
              {isDefault && ' (default)'}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
