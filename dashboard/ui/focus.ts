/**
 * Where what has the focus is taken out of the page, a browser begins anew at its top: whoever uses the keyboard, or reads
 * by ear, loses the place where they were.
 */

/** Gives the focus to what had it before; to the content, where that is gone. */
export function giveFocusTo(element: Element | null): void {
  if (element instanceof HTMLElement && element.isConnected) element.focus({ preventScroll: true })
  else focusContent()
}

/** From now on, the content gets the focus whenever what has it goes. @returns what ends that. */
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

/** Behind a dialog nothing can have the focus. */
const focusContent = (): void =>
  document.querySelector<HTMLElement>('dialog[open], #main')?.focus({ preventScroll: true })
