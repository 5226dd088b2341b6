import { useState } from 'preact/hooks'
import type { Rejection } from '../../src/server/api/schemas/responses.ts'
import { plain } from '../ui/text.ts'
import { Ago, Exact } from '../ui/time.tsx'
import { ExplanationNote } from './explanation-note.tsx'

/** Characters of a header that are shown. All headers together have 4 KiB. */
const longestHeader = 4096

/** A rejected request: a line, which opens to its details. */
export function RejectionRow({ rejection }: { rejection: Rejection }) {
  const [open, setOpen] = useState(false)
  const { at, code, status, event, address, reason } = rejection
  return (
    <li class="card">
      <details open={open} onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary>
          <span class="when">
            <Ago at={at} />
          </span>
          <span class="code foreign">{plain(code)}</span>
          <span class="number soft">{status}</span>
          <span class="foreign event">{event === undefined ? 'no event' : plain(event, 80)}</span>
          <span class="foreign soft address">{address === undefined ? '' : plain(address, 80)}</span>
          {reason !== undefined && <span class="foreign reason">{plain(reason)}</span>}
        </summary>
        {open && <Unfolded {...rejection} />}
      </details>
    </li>
  )
}

function Unfolded({ at, code, guid, source, address, reason, headers }: Rejection) {
  return (
    <div class="unfolded">
      <ExplanationNote code={code} />
      <dl>
        <dt>When</dt>
        <dd>
          <Exact at={at} />
        </dd>
        {[
          ['Details', reason],
          ['From', address],
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
      {Object.keys(headers).length === 0 && <p class="soft">None are known.</p>}
    </div>
  )
}

function Known({ name, children }: { name: string; children: string }) {
  return (
    <>
      <dt class="foreign">{name}</dt>
      <dd class="foreign">{plain(children, longestHeader)}</dd>
    </>
  )
}
