import { post } from '../api/client.ts'
import { confirmed } from '../ui/confirm.tsx'
import { plain } from '../ui/text.ts'
import { showMessage } from '../ui/toast.tsx'

/**
 * Pauses or resumes a handler, or all handlers if none is named, and says so. Asks before it pauses.
 * @returns whether it did so.
 */
export async function changePause(act: 'pause' | 'resume', name?: string): Promise<boolean> {
  const who = name === undefined ? 'all handlers' : plain(name)
  if (act === 'pause' && !(await isMeant(who))) return false
  const { paused: now } = await setPaused(act, name)
  showMessage(act === 'resume' ? resumed(who, now) : `Paused ${who}. Deliveries are stored and wait`)
  return true
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
