import { allHandlers } from '../../src/inbox/pauses.ts'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Handler } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { mayAct } from '../session/session.ts'
import { Rate } from '../statistics/rate.tsx'
import { windows } from '../statistics/windows.ts'
import { plain } from '../ui/text.ts'
import { Age } from '../ui/time.tsx'
import { count, duration } from '../ui/units.ts'
import { type ColumnName, columns, nextSort, type Sort, sorted, sortIn, successOf } from './columns.ts'
import { PauseButton } from './pause-button.tsx'
import { HandlerTags } from './tags.tsx'

interface TableProps {
  handlers: readonly Handler[]
  paused: readonly string[]
  window: WindowName
  /** The order, as `sortIn` reads it. */
  sort: string | undefined
  onDone: () => void
}

/** The handlers with their attempts, latencies and waiting deliveries. The titles sort the table. */
export function HandlerTable({ handlers, paused, window, sort: text, onDone }: TableProps) {
  const sort = sortIn(text)
  const label = `Handlers, with the attempts of ${windows[window].lasting}`
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <section class="card scrolls" tabIndex={0} aria-label={label}>
      <table class="table" aria-label={label}>
        <thead>
          <tr>
            {(Object.keys(columns) as ColumnName[]).map((name) => (
              <Title key={name} {...{ name, sort, window }} />
            ))}
            {mayAct.value && (
              <th scope="col">
                <span class="hidden-visually">Pause</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {sorted(handlers, sort).map((handler) => (
            <Row key={handler.name} {...{ handler, paused, window, onDone }} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Title({ name, sort, window }: { name: ColumnName; sort: Sort; window: WindowName }) {
  const { title, hint } = columns[name]
  const isSorted = sort.column === name
  const order = sort.isDescending ? 'descending' : 'ascending'
  const isText = name === 'name' || name === 'success'
  return (
    <th scope="col" class={isText ? '' : 'end'} aria-sort={isSorted ? order : undefined}>
      <a href={linkTo('handlers', { window, sort: nextSort(name, sort) })} title={`${hint}. Sort by this column.`}>
        {title}
        {isSorted && <span aria-hidden="true">{sort.isDescending ? ' ↓' : ' ↑'}</span>}
      </a>
    </th>
  )
}

/** `0.2/min`, `13/min`. */
function perMinute(attempts: number, window: WindowName): string {
  const rate = attempts / windows[window].minutes
  return rate < 0.1 ? '<0.1/min' : `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/min`
}

interface RowProps extends Pick<TableProps, 'paused' | 'window' | 'onDone'> {
  handler: Handler
}

function Row({ handler, paused, window, onDone }: RowProps) {
  const { name, statistics } = handler
  const { attempts, durations, running, waiting, waitingSince, failed, dead } = statistics
  const failures = failed + dead
  return (
    <tr>
      <th scope="row">
        <a class="foreign" href={linkTo(`handlers/${encodeURIComponent(name)}`, { window })}>
          {plain(name, 120)}
        </a>
        <HandlerTags handler={handler} paused={paused} />
      </th>
      <td>
        <Rate share={successOf(handler)} />
      </td>
      <td class="end number">
        {count(attempts)}
        {attempts > 0 && <span class="soft small line">{perMinute(attempts, window)}</span>}
      </td>
      {(['p50', 'p95', 'p99'] as const).map((one) => (
        <td key={one} class="end number">
          {durations ? duration(durations[one]) : '–'}
        </td>
      ))}
      <td class="end number">{count(running)}</td>
      <td class="end number">
        {count(waiting)}
        {waitingSince !== undefined && (
          <span class="soft small line">
            for <Age since={waitingSince} />
          </span>
        )}
      </td>
      <td class="end number">
        {failures === 0 ? '0' : <a href={linkTo('failures', { handler: name })}>{count(failures)}</a>}
      </td>
      {mayAct.value && (
        <td class="end">
          {!paused.includes(allHandlers) && <PauseButton name={name} paused={paused.includes(name)} onDone={onDone} />}
        </td>
      )}
    </tr>
  )
}
