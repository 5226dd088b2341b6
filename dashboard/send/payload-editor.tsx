import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { loadFailure } from '../ui/lazy.tsx'
import { showError } from '../ui/toast.tsx'
import type { Editor } from './editor.ts'

/** Edits a text. Sets `editor` when the code of the editor has loaded. */
export function PayloadEditor(props: {
  text: string
  editor: RefObject<Editor | undefined>
  /** Called with the text when the editor closes. */
  onLeave: (text: string) => void
}) {
  const { text, editor, onLeave } = props
  const host = useRef<HTMLDivElement>(null)
  const leave = useRef(onLeave)
  leave.current = onLeave
  const latest = useRef(text)
  latest.current = text
  useEffect(() => {
    let isGone = false
    import('./editor.ts').then(
      ({ openEditor }) => {
        if (!isGone && host.current) editor.current = openEditor(host.current, latest.current)
      },
      () => showError(`${loadFailure} Reload the page`),
    )
    return () => {
      isGone = true
      if (editor.current) leave.current(editor.current.text())
      editor.current?.destroy()
      editor.current = undefined
    }
  }, [])
  useEffect(() => editor.current?.replace(text), [text])
  return <div ref={host} class="editor" />
}
