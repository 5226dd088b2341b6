import { allHandlers } from '../../src/inbox/pauses.ts'
import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { mayAct } from '../session/session.ts'
import { Icon } from '../ui/icon.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { PauseButton } from './pause-button.tsx'

/** Milliseconds between two polls. */
const interval = 5000
/** How many handlers a text names. */
const maxNames = 3

/** `the handler deploy is paused`, or `the handlers audit and deploy are paused`. */
export function pausedText(handlers: readonly string[]): string {
  const named = handlers.slice(0, maxNames).map((handler) => plain(handler, 60))
  const more = handlers.length - named.length
  const all = more > 0 ? [...named, `${more} more`] : named
  if (all.length === 1) return `the handler ${all[0]} is paused`
  return `the handlers ${all.slice(0, -1).join(', ')} and ${all.at(-1)} are paused`
}

/** Says why deliveries wait, and resumes the handlers. */
export function PausedNote(props: { handlers: readonly string[]; who: string; onResume: () => void }) {
  const { handlers, who, onResume } = props
  const { value } = usePolled('paused handlers', interval, (signal) => get<Stats>('stats', {}, signal))
  const paused = value?.paused ?? []
  const allPaused = paused.includes(allHandlers)
  const byName = handlers.filter((handler) => paused.includes(handler))
  // Another operator may have resumed the handlers. The deliveries then wait for free slots.
  if (value && !allPaused && byName.length === 0) return null
  return (
    <div class="note warn">
      <Icon name="pause" />
      <span class="foreign">
        {who}: {allPaused ? 'all handlers are paused' : pausedText(value ? byName : handlers)}
      </span>
      {mayAct.value && (
        <span class="end">
          {allPaused && <PauseButton paused={true} onDone={onResume} />}
          {!allPaused && byName.map((name) => <PauseButton key={name} name={name} paused={true} onDone={onResume} />)}
        </span>
      )}
    </div>
  )
}
