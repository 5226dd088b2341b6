import { signal } from '@preact/signals'
import { Icon } from './icon.tsx'

interface Toast {
  id: number
  text: string
  bad: boolean
}

/**
 * Milliseconds for which a message is shown. An error stays until the user closes it. At most four messages and errors
 * are shown: a fifth replaces the oldest.
 */
const shownFor = 8000

const toasts = signal<readonly Toast[]>([])
let last = 0

/** Shows a message, also to screen readers. */
export function showMessage(text: string): void {
  const id = add(text, false)
  setTimeout(() => close(id), shownFor)
}

export function showError(error: unknown): void {
  if (error instanceof Error && error.name === 'AbortError') return
  add(error instanceof Error ? error.message : String(error), true)
}

function add(text: string, bad: boolean): number {
  last += 1
  toasts.value = [...toasts.value.slice(-3), { id: last, text, bad }]
  return last
}

function close(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, bad }) => (
        <div key={id} class={`note ${bad ? 'bad' : ''}`}>
          <span class="foreign">{text}</span>
          <button type="button" class="button plain slim end" aria-label="Close this message" onClick={() => close(id)}>
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </div>
  )
}
