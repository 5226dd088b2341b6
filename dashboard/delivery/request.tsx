import type { ComponentChildren } from 'preact'
import { notStored } from '../../src/inbox/records.ts'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { CopyButton } from '../ui/copy.tsx'
import { terms } from '../ui/terms.ts'
import { plain } from '../ui/text.ts'
import { Exact } from '../ui/time.tsx'
import { bytes, count, counted } from '../ui/units.ts'
import { replyTo, replyToCopies } from './reply.ts'

/** The request, its headers, and the reply. */
export function Request({ detail }: { detail: DeliveryDetail }) {
  const { guid, hookId, source, address, form, size, sha256, receivedAt } = detail
  const headers = Object.entries(detail.headers).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return (
    <section class="card request" aria-labelledby="request">
      <header>
        <h2 id="request">Request</h2>
      </header>
      <dl class="body">
        <Fact name="GUID" copied={guid}>
          {plain(guid, 120)}
        </Fact>
        <Fact name="Hook id">{hookId === '' ? 'none' : plain(hookId, 40)}</Fact>
        <Fact name="Source">{plain(source, 120)}</Fact>
        <Fact name="Address">{plain(address ?? 'unknown', 60)}</Fact>
        <Fact name="Received">
          <Exact at={receivedAt} />
        </Fact>
        <Fact name="Format">{form === 'json' ? 'JSON' : 'form, with JSON in the field “payload”'}</Fact>
        <Fact name="Size">{size < 1024 ? bytes(size) : `${bytes(size)} (${count(size)} bytes)`}</Fact>
        <Fact name="SHA-256" copied={sha256}>
          <code>{plain(sha256, 64)}</code>
        </Fact>
        <Reply detail={detail} />
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <section class="scroll" aria-label="Headers" tabIndex={0}>
        <table class="table headers">
          <caption>{counted(headers.length, 'header', 'headers')}. Signatures and credentials are not stored.</caption>
          <thead>
            <tr>
              <th scope="col">Header</th>
              <th scope="col">Value</th>
              <th scope="col">
                <span class="hidden-visually">Copy</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {headers.map(([name, value]) => (
              <tr key={name}>
                <th scope="row" class="foreign">
                  {plain(name, 100)}
                </th>
                <td class="foreign mono">{plain(value, 2000)}</td>
                <td class="end">
                  {value !== '' && value !== notStored && (
                    <CopyButton text={() => value} what={`the header ${plain(name, 60)}`} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}

function Reply({ detail }: { detail: DeliveryDetail }) {
  const { text, at } = replyTo(detail)
  return (
    <>
      <Fact name="Reply">{text}</Fact>
      {at !== undefined && (
        <Fact name="Replied">
          <Exact at={at} />
        </Fact>
      )}
      {detail.duplicates > 0 && (
        <Fact name="Copies">
          {counted(detail.duplicates, 'copy', 'copies')} received later. Reply: {replyToCopies}
        </Fact>
      )}
    </>
  )
}

function Fact({ name, copied, children }: { name: string; copied?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt title={terms.get(name)}>{name}</dt>
      <dd>
        <span class="foreign">{children}</span>
        {copied !== undefined && <CopyButton text={() => copied} what={`the ${name}`} />}
      </dd>
    </div>
  )
}
