import type { ReadonlySignal } from '@preact/signals'
import type { Connection } from '../api/stream.ts'
import { Icon } from '../ui/icon.tsx'

/** Warns that the list may be out of date. */
export function ConnectionNote({ connection }: { connection: ReadonlySignal<Connection> }) {
  return (
    <div role="status">
      {connection.value === 'lost' && (
        <p class="note warn">
          <Icon name="warning" />
          Connection lost: this page may be out of date. Reconnecting…
        </p>
      )}
    </div>
  )
}
