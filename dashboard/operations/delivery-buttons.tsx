import { useContext } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { Beside } from '../delivery/beside.ts'
import { useCommands } from '../palette/screen-commands.ts'
import { go } from '../route.ts'
import { mayAct } from '../session/session.ts'
import { Icon } from '../ui/icon.tsx'
import { useKeys } from '../ui/keys.ts'
import { discard, operations, retry, retryVerb } from './operations.ts'

/** Buttons for the operations that the state of a delivery allows. */
export function DeliveryButtons({ detail, onDone }: { detail: DeliveryDetail; onDone: () => void }) {
  const { id, state } = detail
  const can = (act: keyof typeof operations) => operations[act].concerns.includes(state)
  const afterwards = async (done: Promise<boolean>) => {
    if (await done) onDone()
  }
  const buttons = [
    ...(can('retry')
      ? [{ label: retryVerb(state), icon: 'again', shape: 'primary', run: () => afterwards(retry(detail)) } as const]
      : []),
    ...(can('discard')
      ? [{ label: 'Discard', icon: 'bin', shape: '', run: () => afterwards(discard(detail)) } as const]
      : []),
  ]
  const edit = { label: 'Edit and send', link: linkTo('send', { from: id }) }
  const commands = [...buttons, { label: edit.label, run: () => go(edit.link) }]
  useCommands(
    mayAct.value
      ? commands.map(({ label, run }) => ({ name: `${label} delivery ${id}`, hint: 'this delivery', run }))
      : [],
  )
  const isBeside = useContext(Beside) // the list then handles the key
  useKeys(isBeside ? {} : { r: () => mayAct.value && can('retry') && void afterwards(retry(detail)) })
  if (!mayAct.value) return null
  return (
    <>
      {buttons.map(({ label, icon, shape, run }) => (
        <button key={icon} type="button" class={`button ${shape}`} onClick={() => void run()}>
          <Icon name={icon} />
          {label}
        </button>
      ))}
      <a class="button" href={edit.link}>
        <Icon name="edit" />
        {edit.label}
      </a>
    </>
  )
}
