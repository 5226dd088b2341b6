import type { AttemptDetail, DeliveryState, TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { Icon, type IconName } from './icon.tsx'

type State = DeliveryState | TaskDetail['state'] | AttemptDetail['outcome']

/** The badge of a state, and its explanation. */
const looks: Readonly<Record<State, { icon: IconName; tone: string; meaning: string }>> = {
  pending: { icon: 'clock', tone: '', meaning: 'stored, and not begun' },
  running: { icon: 'turning', tone: 'busy', meaning: 'a handler runs' },
  retrying: { icon: 'pause', tone: 'warn', meaning: 'failed, and will be tried again' },
  dead: { icon: 'failed', tone: 'bad', meaning: 'failed for good' },
  discarded: { icon: 'bin', tone: '', meaning: 'ended by a handler or an operator' },
  done: { icon: 'done', tone: 'good', meaning: 'every handler succeeded' },
  ignored: { icon: 'none', tone: '', meaning: 'no handler wanted it' },
  gone: { icon: 'none', tone: '', meaning: 'its handler is registered nowhere any more' },
  succeeded: { icon: 'done', tone: 'good', meaning: 'the handler succeeded' },
  failed: { icon: 'failed', tone: 'warn', meaning: 'it failed, and is tried again' },
  released: { icon: 'pause', tone: '', meaning: 'cut off by a shutdown, and does not count' },
  'cut off': { icon: 'cross', tone: 'warn', meaning: 'its process ended' },
}

export const meaningOf = (state: State): string => looks[state].meaning

/** An icon and a word, so that colour is not needed. */
export function StateBadge({ state }: { state: State }) {
  const { icon, tone, meaning } = looks[state]
  return (
    <span class={`badge ${tone}`} title={meaning}>
      <Icon name={icon} />
      {state}
    </span>
  )
}
