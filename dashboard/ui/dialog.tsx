import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { giveFocusTo } from './focus.ts'
import { Icon } from './icon.tsx'

/**
 * A modal dialog. Esc closes it, and so does the Back button. The browser keeps the focus inside, and closing returns the focus to the previous
 * element.
 */
export function Dialog(props: { title: string; wide?: boolean; onClose: () => void; children: ComponentChildren }) {
  const { title, wide = false, onClose, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    const element = dialog.current
    const before = document.activeElement
    element?.showModal()
    addEventListener('popstate', onClose)
    // The dialog is already removed from the page, so the browser does not return the focus.
    return () => {
      removeEventListener('popstate', onClose)
      element?.close()
      giveFocusTo(before)
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={wide ? 'wide' : ''}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="button plain slim" aria-label="Close" onClick={onClose}>
          <Icon name="cross" />
        </button>
      </header>
      {children}
    </dialog>
  )
}
