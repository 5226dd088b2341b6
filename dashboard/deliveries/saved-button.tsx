import { useState } from 'preact/hooks'
import { useCommands } from '../palette/screen-commands.ts'
import { Icon } from '../ui/icon.tsx'
import { lazyDialog } from '../ui/lazy.tsx'
import { savedSearches } from './saved-searches.ts'

const SavedDialog = lazyDialog('Saved searches', async () => (await import('./saved-dialog.tsx')).SavedDialog)

/** Opens the saved searches. */
export function SavedButton({ text }: { text: string }) {
  const [isOpen, setOpen] = useState(false)
  useCommands([{ name: 'Saved searches', hint: 'list', run: () => setOpen(true) }])
  const number = savedSearches.value.length
  return (
    <>
      <button type="button" class="button" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name="star" />
        Saved{number > 0 && ` (${number})`}
        <span class="hidden-visually">searches</span>
      </button>
      {isOpen && <SavedDialog text={text} onClose={() => setOpen(false)} />}
    </>
  )
}
