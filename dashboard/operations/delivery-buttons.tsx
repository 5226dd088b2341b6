import { useContext } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { Beside } from '../delivery/beside.ts'
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
  const isBeside = useContext(Beside) // the list then handles the key
  useKeys(isBeside ? {} : { r: () => mayAct.value && can('retry') && void afterwards(retry(detail)) })
  if (!mayAct.value) return null
  return (
    <>
      {can('retry') && (
        <button type="button" class="button primary" onClick={() => void afterwards(retry(detail))}>
          <Icon name="again" />
          {retryVerb(state)}
        </button>
      )}
      {can('discard') && (
        <button type="button" class="button" onClick={() => void afterwards(discard(detail))}>
          <Icon name="bin" />
          Discard
        </button>
      )}
      <a class="button" href={linkTo('send', { from: id })}>
        <Icon name="edit" />
        Edit and send
      </a>
    </>
  )
}
