/**
 * When the focused element is removed, browsers move the focus to the top of the page, and users of a keyboard or a
 * screen reader lose their place.
 */

/** Focuses the previously focused element, or the content if that element has been removed. */
export function giveFocusTo(element: Element | null): void {
  if (element instanceof HTMLElement && element.isConnected) element.focus({ preventScroll: true })
  else focusContent()
}

/** Focuses the content whenever the focused element is removed. @returns A function that stops this. */
export function keepFocus(): () => void {
  let last: EventTarget | null = null
  const remember = ({ target }: FocusEvent) => {
    last = target
  }
  const observer = new MutationObserver(() => {
    if (!(last instanceof Element) || last.isConnected) return
    last = null
    if (document.activeElement === document.body) focusContent()
  })
  addEventListener('focusin', remember)
  observer.observe(document.body, { childList: true, subtree: true })
  return () => {
    removeEventListener('focusin', remember)
    observer.disconnect()
  }
}

/** Prefers an open dialog, since elements behind it cannot have the focus. */
const focusContent = (): void =>
  document.querySelector<HTMLElement>('dialog[open], #main')?.focus({ preventScroll: true })
