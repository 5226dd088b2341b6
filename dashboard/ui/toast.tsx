import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface Toast {
  id: number
  text: string
  bad: boolean
}

/** Milliseconds for which a message is shown. The time stops while the mouse or the focus is on it. */
const shownFor = { message: 8000, error: 20_000 }
/** How many messages and errors are shown. One more replaces the oldest. */
const maxShown = 4

const toasts = signal<readonly Toast[]>([])
let last = 0

/** Shows a message, also to screen readers. */
export const showMessage = (text: string): void => add(text, false)

/** Shows an error until the operator closes it or opens another screen, or until its time is up. */
export function showError(error: unknown): void {
  if (error instanceof Error && error.name === 'AbortError') return
  add(error instanceof Error ? error.message : String(error), true)
}

/** Adds a text. A text that is shown already moves to the end, so that repeated errors do not cover the page. */
function add(text: string, bad: boolean): void {
  last += 1
  const others = toasts.value.filter((one) => one.text !== text)
  toasts.value = [...others.slice(1 - maxShown), { id: last, text, bad }]
}

const close = (id: number): void => {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}

/** @param screen The screen. An error belongs to the screen on which it occurred. */
export function Toasts({ screen }: { screen: string }) {
  useEffect(
    () => () => {
      toasts.value = toasts.value.filter(({ bad }) => !bad)
    },
    [screen],
  )
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <Note key={toast.id} {...toast} />
      ))}
    </div>
  )
}

function Note({ id, text, bad }: Toast) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const hold = () => clearTimeout(timer.current)
  const release = () => {
    hold()
    timer.current = setTimeout(() => close(id), bad ? shownFor.error : shownFor.message)
  }
  useEffect(() => {
    release()
    return hold
  }, [])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: reading the text is no interaction
    <div
      class={`note ${bad ? 'bad' : ''}`}
      onMouseEnter={hold}
      onMouseLeave={release}
      onFocusIn={hold}
      onFocusOut={release}
    >
      <span class="foreign">{text}</span>
      <button type="button" class="button plain slim end" aria-label="Close this message" onClick={() => close(id)}>
        <Icon name="cross" />
      </button>
    </div>
  )
}
