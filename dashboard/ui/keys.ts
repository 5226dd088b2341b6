import { useLayoutEffect, useRef } from 'preact/hooks'
import { shortcuts } from './preferences.ts'

/** The keys and their actions, for the help. */
export const keys: readonly (readonly [key: string, does: string])[] = [
  ['/', 'Search'],
  ['j', 'Next delivery, in the list or on its page'],
  ['k', 'Previous delivery, in the list or on its page'],
  ['Enter', 'Open the delivery'],
  ['x', 'Select the delivery'],
  ['r', 'Retry the delivery'],
  ['c', 'Copy the delivery as a curl command'],
  ['Esc', 'Go back to the list, or leave a field'],
  ['Ctrl K', 'Find a screen, a command or a delivery (Cmd K on a Mac)'],
  ['?', 'Show this help'],
]

/** Keys that repeat while they are held down. All others act once. */
const repeating: readonly string[] = ['j', 'k']

type Bindings = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Handles keys while the component is mounted, except while the operator types or a dialog is open. */
export function useKeys(bindings: Bindings): void {
  const current = useRef(bindings)
  current.current = bindings
  // Before the first paint, so that no key press is lost.
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      const act = Object.hasOwn(current.current, event.key) ? current.current[event.key] : undefined
      if (event.repeat && !repeating.includes(event.key)) return
      if (!act || document.querySelector('dialog[open]') || isTyped(event)) return
      if (!shortcuts.value && event.key.length === 1) return
      act(event)
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}

/** Handles Ctrl+K, or Cmd+K on a Mac, also while the operator types, but not while a dialog is open. */
export function useCommandKey(act: () => void): void {
  const current = useRef(act)
  current.current = act
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      event.preventDefault() // browsers would open their own search
      if (!document.querySelector('dialog[open]')) current.current()
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}

/** Whether the key press is input to a field or a control. `composedPath` also finds fields in a shadow root. */
function isTyped(event: KeyboardEvent): boolean {
  const [target] = event.composedPath()
  if (!(target instanceof HTMLElement)) return false
  const isField =
    target.matches('input:not([type=checkbox], [type=radio]), select, textarea') || target.isContentEditable
  return isField || (event.key === 'Enter' && target.matches('a, button, summary, input'))
}
