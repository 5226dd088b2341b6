import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Dialog } from './dialog.tsx'

interface Question {
  title: string
  text: ComponentChildren
  /** The label of the confirming button. */
  act: string
  danger?: boolean
}

const open = signal<(Question & { answer: (yes: boolean) => void }) | undefined>(undefined)

/** Asks the operator to confirm an operation. */
export function confirmed(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      open.value = undefined
      resolve(yes)
    }
    open.value = { ...question, answer }
  })
}

export function Confirmation() {
  if (!open.value) return null
  const { title, text, act, danger = false, answer } = open.value
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          answer(true)
        }}
      >
        <div class="body">{text}</div>
        <div class="acts">
          <button type="button" class="button" onClick={() => answer(false)}>
            Cancel
          </button>
          <button type="submit" class={`button ${danger ? 'danger' : 'primary'}`}>
            {act}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
