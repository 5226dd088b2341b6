import { useState } from 'preact/hooks'
import { post } from '../api/client.ts'
import { confirmed } from '../ui/confirm.tsx'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'

/** Pauses or resumes a handler, or all handlers if none is named. */
export function PauseButton({ name, paused, onDone }: { name?: string; paused: boolean; onDone: () => void }) {
  const [busy, setBusy] = useState(false)
  const who = name === undefined ? 'all handlers' : plain(name)
  const act = async () => {
    if (!paused && !(await isMeant(who))) return
    setBusy(true)
    try {
      const { paused: now } = await setPaused(paused ? 'resume' : 'pause', name)
      showMessage(paused ? resumed(who, now) : `Paused ${who}. Deliveries are stored and wait`)
      onDone()
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
      {name !== undefined && <span class="hidden-visually foreign">{who}</span>}
    </button>
  )
}

function setPaused(act: 'pause' | 'resume', name: string | undefined): Promise<{ paused: string[] }> {
  return name === undefined
    ? post(`handlers/${act}`, { all: true })
    : post(`handlers/${encodeURIComponent(name)}/${act}`)
}

const isMeant = (who: string): Promise<boolean> =>
  confirmed({
    title: `Pause ${who}?`,
    text: (
      <p>
        Running attempts of <strong class="foreign">{who}</strong> finish, and no process starts new ones. Deliveries
        are not lost: they are stored and wait until you resume.
      </p>
    ),
    act: 'Pause',
  })

/** The message after a resume. It lists the paused handlers, because "all" does not resume those paused by name. */
function resumed(who: string, now: readonly string[]): string {
  return now.length > 0 ? `Resumed ${who}. Still paused: ${now.map((one) => plain(one)).join(', ')}` : `Resumed ${who}`
}
