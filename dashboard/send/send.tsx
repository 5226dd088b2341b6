import { signal } from '@preact/signals'
import { useRef, useState } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { post } from '../api/client.ts'
import { go, route } from '../route.ts'
import { mayAct } from '../session/session.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { useResource } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import type { Editor } from './editor.ts'
import { minifyJson } from './json-format.ts'
import { PayloadEditor } from './payload-editor.tsx'
import { samplesOf, sourceOf } from './payload-source.ts'
import { SampleChoice } from './sample-choice.tsx'
import './send.css'

/** The last unsent text. It survives a visit to another screen and a new login. */
const draft = signal<{ of: string; text: string } | undefined>()

/** Creates a delivery from an earlier one (`from`), or from a sample payload. */
export function Send() {
  const { from, event = 'push', sample = '0' } = route.value.search
  const key = from === undefined ? `sample ${event}` : `delivery ${from}`
  const loaded = useResource(key, (signal) => (from === undefined ? samplesOf(event, signal) : sourceOf(from, signal)))
  const editor = useRef<Editor>(undefined)
  const isSent = useRef(false)
  const [busy, setBusy] = useState(false)
  if (!mayAct.value) return <p class="blank">The read-only token cannot send deliveries.</p>
  const source = loaded.value?.[Number(sample)] ?? loaded.value?.[0]
  const of = `${key} ${sample}`
  const kept = draft.value?.of === of ? draft.value.text : undefined

  const send = async () => {
    if (!source || !editor.current) return
    setBusy(true)
    try {
      const { id } = await sendText(source.event, editor.current.text(), from)
      draft.value = undefined
      isSent.current = true
      showMessage(`Stored as delivery ${id}`)
      go(linkTo(`deliveries/${id}`))
    } catch (error) {
      showError(error)
      setBusy(false)
    }
  }
  return (
    <div class="send">
      <div class="heading">
        <h1>{from === undefined ? 'Send a sample' : `Edit delivery ${plain(from, 20)} and send it again`}</h1>
        <div class="end">
          {source && kept !== undefined && (
            <button type="button" class="button" onClick={() => (draft.value = undefined)}>
              Reset
            </button>
          )}
          <button type="button" class="button primary" disabled={busy || !source} onClick={() => void send()}>
            <Icon name="send" />
            {busy ? 'Sending…' : 'Send'}
          </button>
        </div>
      </div>
      <p class="soft">
        The server signs and stores the delivery, and runs the handlers that match. The delivery has a new GUID, and the
        source <code>dashboard</code>.
      </p>
      {from === undefined && (
        <SampleChoice event={event} sample={Number(sample)} variants={loaded.value?.length ?? 1} />
      )}
      {from !== undefined && source && (
        <p>
          Event: <code class="foreign">{plain(source.event, 100)}</code>. The other headers are copied from delivery{' '}
          <a href={linkTo(`deliveries/${from}`)}>{plain(from, 20)}</a>.
        </p>
      )}
      {loaded.error && <Failure error={loaded.error} again={loaded.reload} />}
      <PayloadEditor
        text={(source && kept) ?? source?.text ?? ''}
        editor={editor}
        onLeave={(text) => {
          if (source && text !== source.text && !isSent.current) draft.value = { of, text }
        }}
      />
    </div>
  )
}

/** @throws {Error} that says why, if the text is not a JSON object. */
async function sendText(event: string, text: string, from: string | undefined): Promise<{ id: number }> {
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch (error) {
    throw new Error(`The payload is not JSON: ${(error as Error).message}`)
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new Error('The payload must be a JSON object')
  }
  // Without the white space of the editor, which could make a large payload too large.
  return post('deliveries', { event, text: minifyJson(text), ...(from !== undefined && { editedFrom: Number(from) }) })
}
