import { allHandlers } from '../../src/inbox/pauses.ts'
import type { Handler } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { route } from '../route.ts'
import { mayAct } from '../session/session.ts'
import { WindowLinks } from '../statistics/window-links.tsx'
import { windowIn } from '../statistics/windows.ts'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { HandlerPage } from './handler-page.tsx'
import { HandlerTable } from './handler-table.tsx'
import { NoHandlers } from './no-handlers.tsx'
import { PauseButton } from './pause-button.tsx'
import './handlers.css'

/** Milliseconds between two polls. */
const interval = 5000

/** The handlers, or one of them. */
export function Handlers() {
  const [, name] = route.value.path
  return name === undefined ? <HandlerList /> : <HandlerPage key={name} name={decoded(name)} />
}

/** The name of a handler in the address, which an operator may have written by hand. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function HandlerList() {
  const { window: wanted, sort } = route.value.search
  const window = windowIn(wanted)
  const { value, error, reload } = usePolled(window, interval, async (signal) => {
    const [{ handlers }, { paused }] = await Promise.all([
      get<{ handlers: Handler[] }>('handlers', { window }, signal),
      get<{ paused: string[] }>('stats', {}, signal),
    ])
    return { handlers, paused, window }
  })
  const all = value?.paused.includes(allHandlers) ?? false
  return (
    <div class="handlers">
      <div class="heading">
        <h1>Handlers</h1>
        <div class="end">
          {value && value.handlers.length > 0 && <WindowLinks path="handlers" chosen={window} search={{ sort }} />}
          {value && mayAct.value && (value.handlers.length > 0 || all) && <PauseButton paused={all} onDone={reload} />}
        </div>
      </div>
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {all && (
        <p class="note warn">
          All handlers are paused. New deliveries are stored and wait until you resume the handlers.
        </p>
      )}
      {value && value.handlers.length === 0 && <NoHandlers />}
      {value && value.handlers.length > 0 && <HandlerTable {...value} sort={sort} onDone={reload} />}
    </div>
  )
}
