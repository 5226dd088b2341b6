import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { complain } from '../ui/toast.tsx'
import type { Editor } from './editor.ts'

/** Edits a text; `editor` is there once it has been loaded. */
export function PayloadEditor({ text, editor }: { text: string; editor: RefObject<Editor | undefined> }) {
  const host = useRef<HTMLDivElement>(null)
  const latest = useRef(text)
  latest.current = text
  useEffect(() => {
    let isGone = false
    import('./editor.ts').then(({ openEditor }) => {
      if (!isGone && host.current) editor.current = openEditor(host.current, latest.current)
    }, complain)
    return () => {
      isGone = true
      editor.current?.destroy()
      editor.current = undefined
    }
  }, [])
  useEffect(() => editor.current?.replace(text), [text])
  return <div ref={host} class="editor" />
}
