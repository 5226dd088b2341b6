import type { TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { mayAct } from '../session/session.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { retryHandler } from './operations.ts'

const restartable: readonly TaskDetail['state'][] = ['done', 'retrying', 'dead', 'discarded']

/** Runs one handler of a delivery again. */
export function RetryHandlerButton({ id, task, onDone }: { id: number; task: TaskDetail; onDone: () => void }) {
  if (!mayAct.value || !restartable.includes(task.state)) return null
  const act = async () => {
    if (await retryHandler(id, task)) onDone()
  }
  return (
    <button type="button" class="button slim" onClick={() => void act()}>
      <Icon name="again" />
      Run this handler again <span class="hidden-visually foreign">({plain(task.handler, 120)})</span>
    </button>
  )
}
