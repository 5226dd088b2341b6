import type { AttemptDetail, DeliveryState, TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { Icon, type IconName } from './icon.tsx'

type State = DeliveryState | TaskDetail['state'] | AttemptDetail['outcome']

/** The badge of a state, and its explanation. */
const looks: Readonly<Record<State, { icon: IconName; tone: string; meaning: string }>> = {
  pending: { icon: 'clock', tone: '', meaning: 'waits for an attempt to start' },
  running: { icon: 'turning', tone: 'busy', meaning: 'a handler is running' },
  retrying: { icon: 'again', tone: 'warn', meaning: 'failed, will be retried' },
  dead: { icon: 'failed', tone: 'bad', meaning: 'failed, will not be retried' },
  discarded: { icon: 'bin', tone: '', meaning: 'ended on purpose: by a handler, an operator or the option replays' },
  done: { icon: 'done', tone: 'good', meaning: 'every handler succeeded' },
  ignored: { icon: 'none', tone: '', meaning: 'no handler matched, or all tasks are gone' },
  gone: { icon: 'none', tone: '', meaning: 'the handler is no longer registered, or no longer matches' },
  succeeded: { icon: 'done', tone: 'good', meaning: 'the handler succeeded' },
  failed: { icon: 'failed', tone: 'warn', meaning: 'failed, will be retried' },
  released: {
    icon: 'none',
    tone: '',
    meaning: 'interrupted by a shutdown, or returned before the call. Does not count as an attempt',
  },
  'cut off': { icon: 'cross', tone: 'warn', meaning: 'the lease expired, usually because the process ended' },
}

export const meaningOf = (state: State): string => looks[state].meaning

/** An icon and a word, so that the state does not depend on color. */
export function StateBadge({ state }: { state: State }) {
  const { icon, tone, meaning } = looks[state]
  return (
    <span class={`badge ${tone}`} title={meaning}>
      <Icon name={icon} />
      {state}
    </span>
  )
}
