import { useState } from 'preact/hooks'
import type { Rejection } from '../../src/server/api/schemas/responses.ts'
import { Icon } from '../ui/icon.tsx'
import { terms } from '../ui/terms.ts'
import { plain } from '../ui/text.ts'
import { Ago, Exact } from '../ui/time.tsx'
import { ExplanationNote } from './explanation-note.tsx'
import { explanationOf } from './explanations.ts'

/** Characters of a header that are shown. All stored headers of a request together have at most 4 KiB. */
const maxHeader = 4096

/** A rejected request. Its details open in a second row. @param isExplained Whether the page explains its code above. */
export function RejectionRow({ rejection, isExplained }: { rejection: Rejection; isExplained: boolean }) {
  const [open, setOpen] = useState(false)
  const { at, code, status, event, address, reason } = rejection
  return (
    <>
      <tr class="request">
        <td class="open">
          <button
            type="button"
            aria-expanded={open}
            aria-label={`Details of ${plain(code)}`}
            title={explanationOf(code)?.means}
            onClick={() => setOpen(!open)}
          >
            <Icon name="next" />
          </button>
        </td>
        <td class="when">
          <Ago at={at} />
        </td>
        <td class="code foreign">{plain(code)}</td>
        <td class="status number">{status}</td>
        <td class="event foreign">{event === undefined ? 'none' : plain(event, 80)}</td>
        <td class="address foreign">{address === undefined ? 'unknown' : plain(address, 80)}</td>
        {/* During a flood, the server finds out the reason of one request a second. The others have the general one. */}
        <td class="reason foreign">{plain(reason ?? explanationOf(code)?.means ?? '')}</td>
      </tr>
      {open && (
        <tr class="details">
          <td colSpan={7}>
            <Details {...rejection} isExplained={isExplained} />
          </td>
        </tr>
      )}
    </>
  )
}

function Details(props: Rejection & { isExplained: boolean }) {
  const { at, code, guid, source, address, reason, headers, isExplained } = props
  return (
    <div class="unfolded">
      {!isExplained && <ExplanationNote code={code} />}
      <dl>
        <dt>When</dt>
        <dd>
          <Exact at={at} />
        </dd>
        {[
          ['Reason', reason],
          ['Address', address],
          ['Source', source],
          ['GUID', guid],
        ].map(
          ([name, text]) =>
            text !== undefined && (
              <Known key={name} name={name ?? ''}>
                {text}
              </Known>
            ),
        )}
      </dl>
      <h2>Headers</h2>
      <dl class="headers">
        {Object.entries(headers).map(([name, text = '']) => (
          <Known key={name} name={plain(name)}>
            {text}
          </Known>
        ))}
      </dl>
      {Object.keys(headers).length === 0 && <p class="soft">No headers were recorded.</p>}
    </div>
  )
}

function Known({ name, children }: { name: string; children: string }) {
  return (
    <>
      <dt class="foreign" title={terms.get(name)}>
        {name}
      </dt>
      <dd class="foreign">{plain(children, maxHeader)}</dd>
    </>
  )
}
