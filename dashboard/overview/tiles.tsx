import type { ComponentChildren } from 'preact'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { DeliveryState, Stats } from '../../src/server/api/schemas/responses.ts'
import { byHandler, stepsOf, sum, sumPerStep } from '../statistics/totals.ts'
import { windows } from '../statistics/windows.ts'
import { searchFor } from '../ui/search.ts'
import { Ago } from '../ui/time.tsx'
import { count, duration } from '../ui/units.ts'

const minute = 60_000

/** The key figures. */
export function Tiles({ stats, window }: { stats: Stats; window: WindowName }) {
  const { states, series, oldestUnfinished } = stats
  const { lasting } = windows[window]
  const handlers = byHandler(series)
  const failures = sum(handlers.map(({ failed, dead }) => failed + dead))
  const attempts = sum(handlers.map((row) => row.attempts))
  return (
    <dl class="tiles">
      <Received stats={stats} lasting={lasting} />
      <Tile name="Failed attempts" bad={failures > 0} below={`of ${count(attempts)} in ${lasting}`}>
        {count(failures)}
      </Tile>
      <Tile name="Dead deliveries" bad={states.dead > 0} below="failed, and are not retried automatically">
        <ToDeliveries state="dead" number={states.dead}>
          {count(states.dead)}
        </ToDeliveries>
      </Tile>
      <Tile
        name="Unfinished deliveries"
        below={
          oldestUnfinished === undefined ? (
            'none'
          ) : (
            <>
              oldest received <Ago at={oldestUnfinished} />
            </>
          )
        }
      >
        <span class="three">
          {(['running', 'pending', 'retrying'] as const).map((state) => (
            <ToDeliveries key={state} state={state} number={states[state]}>
              {count(states[state])} <small>{state}</small>
            </ToDeliveries>
          ))}
        </span>
      </Tile>
      <Latency latency={series.latency} lasting={lasting} />
    </dl>
  )
}

/** A figure that links to its deliveries, if there are any. */
function ToDeliveries(props: { state: DeliveryState; number: number; children: ComponentChildren }) {
  const { state, number, children } = props
  return number === 0 ? <span>{children}</span> : <a href={searchFor({ state })}>{children}</a>
}

function Received({ stats: { series }, lasting }: { stats: Stats; lasting: string }) {
  const steps = sumPerStep(
    series.received.map(({ counts }) => counts),
    stepsOf(series),
  )
  const perMinute = (number: number) =>
    `${number < 10 ? Number(number.toFixed(1)) : count(Math.round(number))} per minute`
  const minutes = series.step / minute
  const [mean, max] = [sum(steps) / (steps.length * minutes), Math.max(...steps) / minutes]
  const below = `in ${lasting}: ${perMinute(mean)} on average, ${perMinute(max)} at most`
  return (
    <Tile name="Received" below={below}>
      {count(sum(steps))}
    </Tile>
  )
}

function Latency({ latency, lasting }: { latency: Stats['series']['latency']; lasting: string }) {
  return (
    <Tile name="Reply time" below={`from request to reply, in ${lasting}`}>
      {latency ? (
        <span class="three">
          {(['p50', 'p95', 'p99'] as const).map((name) => (
            <span key={name} title={`${name.slice(1)} % of the replies took at most this long`}>
              {duration(latency[name])} <small>{name}</small>
            </span>
          ))}
        </span>
      ) : (
        '–'
      )}
    </Tile>
  )
}

function Tile(props: { name: string; bad?: boolean; below: ComponentChildren; children: ComponentChildren }) {
  const { name, bad = false, below, children } = props
  return (
    <div class={`card tile ${bad ? 'bad' : ''}`}>
      <dt>{name}</dt>
      <dd class="number">{children}</dd>
      <dd class="soft small">{below}</dd>
    </div>
  )
}
