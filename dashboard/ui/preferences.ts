import { effect, type Signal, signal } from '@preact/signals'

/** Something that this browser remembers, if it remembers anything. */
function kept<Value>(name: string, fallback: Value): Signal<Value> {
  const key = `hookserver.${name}`
  const value = signal(fallback)
  try {
    value.value = JSON.parse(localStorage.getItem(key) ?? 'null') ?? fallback
  } catch {
    // It stays as it is for everybody.
  }
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(value.value))
    } catch {
      // It is forgotten with the page.
    }
  })
  return value
}

/** Empty: as the system has it. */
export const theme: Signal<'' | 'light' | 'dark'> = kept('theme', '')

effect(() => {
  document.documentElement.dataset.theme = theme.value
})

/** Whether single keys do something (WCAG 2.2, 2.1.4: they can be switched off). */
export const shortcuts: Signal<boolean> = kept('shortcuts', true)
