import type { FailureGroup } from '../../src/server/api/schemas/responses.ts'
import { post } from '../api/client.ts'
import { ReasonField } from '../operations/discard-question.tsx'
import { operations } from '../operations/operations.ts'
import { useCommands } from '../palette/screen-commands.ts'
import { mayAct } from '../session/session.ts'
import { updateCounts } from '../shell/inbox-counts.ts'
import { confirmed } from '../ui/confirm.tsx'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import { count, counted } from '../ui/units.ts'

const tasks = (number: number): string => counted(number, 'task', 'tasks')

/** Buttons that retry or discard all dead and retrying tasks of a group. */
export function FailureButtons(props: { failure: FailureGroup; slim?: boolean; onDone: () => void }) {
  const { failure, slim = false, onDone } = props
  const number = failure.tasks.dead + failure.tasks.retrying
  const acts = (['retry', 'discard'] as const).map((act) => ({
    label: `${operations[act].verb} all ${count(number)}`,
    icon: ({ retry: 'again', discard: 'bin' } as const)[act],
    run: () => operate(act, failure, number, onDone),
  }))
  const canAct = mayAct.value && number > 0
  useCommands(
    canAct
      ? acts.map(({ label, run }) => {
          return { name: `${label} of ${plain(failure.handler, 60)}`, hint: plain(failure.error, 100), run }
        })
      : [],
  )
  if (!canAct) return null
  return (
    <div class="acts">
      {acts.map(({ label, icon, run }) => (
        <button key={icon} type="button" class={slim ? 'button slim' : 'button'} onClick={() => void run()}>
          <Icon name={icon} />
          {label}
        </button>
      ))}
    </div>
  )
}

const explanations = {
  retry: 'These tasks run again now. Other handlers of their deliveries do not.',
  discard: 'These tasks do not run again, unless you retry their deliveries. Other handlers of the deliveries go on.',
} as const

async function operate(
  act: keyof typeof explanations,
  { id, handler, error }: FailureGroup,
  number: number,
  onDone: () => void,
): Promise<void> {
  const { verb, result } = operations[act]
  let reason = ''
  const body = (
    <>
      <p>
        <strong class="foreign">{plain(handler, 120)}</strong>: <code class="foreign">{plain(error)}</code>
      </p>
      <p>{explanations[act]}</p>
      {act === 'discard' && <ReasonField onInput={(text) => (reason = text.trim())} />}
    </>
  )
  const title = `${verb} ${tasks(number)}?`
  if (!(await confirmed({ title, text: body, act: `${verb} ${tasks(number)}`, danger: act === 'discard' }))) return
  try {
    const answer = await post<{ count: number }>(`failures/${id}/${act}`, reason === '' ? {} : { reason })
    showMessage(result(tasks(answer.count), answer.count))
  } catch (failed) {
    showError(failed)
  }
  onDone()
  void updateCounts()
}
