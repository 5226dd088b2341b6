import type { Handler, Stats } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { mayAct } from '../session/session.ts'
import { byHandler, lastHours } from '../statistics/totals.ts'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { HandlerCard } from './handler-card.tsx'
import { NoHandlers } from './no-handlers.tsx'
import { PauseButton } from './pause-button.tsx'
import './handlers.css'

const interval = 5000

/** The handlers, their statistics, and buttons to pause and resume them. */
export function Handlers() {
  const { value, error, reload } = usePolled('handlers', interval, async (signal) => {
    const [{ handlers }, stats] = await Promise.all([
      get<{ handlers: Handler[] }>('handlers', {}, signal),
      get<Stats>('stats', { window: '7d' }, signal),
    ])
    return { handlers, stats }
  })
  const all = value?.stats.paused.includes('*') ?? false
  return (
    <div class="handlers">
      <div class="heading">
        <h1>Handlers</h1>
        {value && mayAct.value && (value.handlers.length > 0 || all) && (
          <div class="end">
            <PauseButton paused={all} onDone={reload} />
          </div>
        )}
      </div>
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {all && (
        <p class="note warn">
          All handlers are paused. New deliveries are stored and wait until you resume the handlers.
        </p>
      )}
      {value && value.handlers.length === 0 && <NoHandlers />}
      {value?.handlers.length ? <Cards {...value} onDone={reload} /> : null}
    </div>
  )
}

function Cards({ handlers, stats, onDone }: { handlers: Handler[]; stats: Stats; onDone: () => void }) {
  const week = new Map(byHandler(stats.series).map((row) => [row.handler, row]))
  const day = new Map(byHandler(lastHours(stats.series, 24)).map((row) => [row.handler, row]))
  const allPaused = stats.paused.includes('*')
  return (
    <div class="cards">
      {handlers.map((handler) => (
        <HandlerCard
          key={handler.name}
          handler={handler}
          day={day.get(handler.name)}
          week={week.get(handler.name)}
          states={stats.states}
          paused={stats.paused.includes(handler.name) ? 'itself' : allPaused ? 'with all' : 'no'}
          onDone={onDone}
        />
      ))}
    </div>
  )
}
