import type { TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { useCommands } from '../palette/screen-commands.ts'
import { mayAct } from '../session/session.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { retryHandler } from './operations.ts'

const restartable: readonly TaskDetail['state'][] = ['done', 'retrying', 'dead', 'discarded', 'gone']

/** Runs one handler of a delivery again. */
export function RetryHandlerButton({ id, task, onDone }: { id: number; task: TaskDetail; onDone: () => void }) {
  const act = async () => {
    if (await retryHandler(id, task)) onDone()
  }
  const canAct = mayAct.value && restartable.includes(task.state)
  useCommands(canAct ? [{ name: `Run ${plain(task.handler, 60)} again`, hint: `delivery ${id}`, run: act }] : [])
  if (!canAct) return null
  return (
    <button type="button" class="button slim" onClick={() => void act()}>
      <Icon name="again" />
      Run this handler again <span class="hidden-visually foreign">({plain(task.handler, 120)})</span>
    </button>
  )
}
