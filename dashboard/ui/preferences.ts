import { effect, type Signal, signal } from '@preact/signals'

/** A value in the browser's local storage, if that is available. All tabs of the browser share it. */
export function kept<Value>(name: string, fallback: Value): Signal<Value> {
  const key = `hookserver.${name}`
  const value = signal(fallback)
  const read = () => {
    try {
      value.value = JSON.parse(localStorage.getItem(key) ?? 'null') ?? fallback
    } catch {
      // Storage is not available: use the default.
    }
  }
  read()
  // Another tab has changed the storage. Without this, the next change here would undo that one.
  addEventListener('storage', (event) => event.key === key && read())
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(value.value))
    } catch {
      // Storage is not available: the value is lost with the page.
    }
  })
  return value
}

/** Empty for the system's theme. */
export const theme: Signal<'' | 'light' | 'dark'> = kept('theme', '')

effect(() => {
  document.documentElement.dataset.theme = theme.value
})

/** Whether the page shows times in UTC. Otherwise, it shows them in the time zone of the browser. */
export const utc: Signal<boolean> = kept('utc', false)

/** Whether single-key shortcuts are enabled. WCAG 2.2 requires a way to disable them (2.1.4). */
export const shortcuts: Signal<boolean> = kept('shortcuts', true)
