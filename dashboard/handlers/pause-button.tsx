import { useState } from 'preact/hooks'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { showError } from '../ui/toast.tsx'
import { changePause } from './pausing.tsx'

/** Pauses or resumes a handler, or all handlers if none is named. */
export function PauseButton({ name, paused, onDone }: { name?: string; paused: boolean; onDone: () => void }) {
  const [busy, setBusy] = useState(false)
  const act = async () => {
    setBusy(true)
    try {
      if (await changePause(paused ? 'resume' : 'pause', name)) onDone()
    } catch (error) {
      showError(error)
    } finally {
      setBusy(false)
    }
  }
  const word = paused ? 'Resume' : 'Pause'
  return (
    <button type="button" class="button slim" disabled={busy} onClick={act}>
      <Icon name={paused ? 'play' : 'pause'} />
      {name === undefined ? `${word} all` : word}
      {name !== undefined && <span class="hidden-visually foreign">{plain(name)}</span>}
    </button>
  )
}
