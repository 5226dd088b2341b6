import type { Rejections as Answer, Rejection } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { route } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { count } from '../ui/units.ts'
import { ExplanationNote } from './explanation-note.tsx'
import { explanationOf } from './explanations.ts'
import { RejectionRow } from './rejection-row.tsx'
import './rejections.css'

const interval = 5000

/** Maximum rows. The server keeps 1,000 rejections. */
const maxRows = 200

/** The rejected requests, and why they were rejected. */
export function Rejections() {
  const { value, error, reload } = usePolled('rejections', interval, (signal) => get<Answer>('rejections', {}, signal))
  const code = route.value.search.code ?? ''
  return (
    <div class="rejected">
      <div class="heading">
        <h1>Rejected requests</h1>
      </div>
      {error && <Failure error={error} again={reload} />}
      {!value && !error && <p class="loading soft">Loading…</p>}
      {value && <Found {...value} code={code} />}
    </div>
  )
}

function Found({ latest, counts, code }: Answer & { code: string }) {
  if (Object.keys(counts).length === 0 && latest.length === 0) {
    return (
      <div class="blank">
        <h2>No rejected requests</h2>
        <p>The server has accepted all requests so far.</p>
      </div>
    )
  }
  const some = code === '' ? latest : latest.filter((one) => one.code === code)
  return (
    <>
      <Codes counts={counts} chosen={code} />
      {code !== '' && <ExplanationNote code={code} />}
      {some.length === 0 ? (
        <p class="soft">None of the stored rejections has this code.</p>
      ) : (
        <table class="requests" aria-label="Rejected requests, newest first">
          <thead>
            <tr>
              <th scope="col" class="open">
                <span class="hidden-visually">Details</span>
              </th>
              {['When', 'Code', 'Status', 'Event', 'Address', 'Reason'].map((name) => (
                <th key={name} scope="col" class={name.toLowerCase()}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {keyed(some.slice(0, maxRows)).map(([key, rejection]) => (
              <RejectionRow key={key} rejection={rejection} isExplained={code !== ''} />
            ))}
          </tbody>
        </table>
      )}
      {some.length > maxRows && (
        <p class="soft">
          Showing the newest {count(maxRows)} of {count(some.length)}.
        </p>
      )}
    </>
  )
}

/** Rejections have no id, and many may be equal. Equal ones are numbered from the oldest, so that keys stay stable. */
function keyed(rejections: readonly Rejection[]): [key: string, rejection: Rejection][] {
  const alike = new Map<string, number>()
  const pairs = rejections.toReversed().map((rejection): [string, Rejection] => {
    const { at, code, guid, address } = rejection
    const key = JSON.stringify([at, code, guid, address])
    const before = alike.get(key) ?? 0
    alike.set(key, before + 1)
    return [`${key} ${before}`, rejection]
  })
  return pairs.toReversed()
}

/** The number of rejections by code, as links. */
function Codes({ counts, chosen }: { counts: Answer['counts']; chosen: string }) {
  const all = Object.values(counts).reduce((sum, one) => sum + one, 0)
  const codes = Object.entries(counts).toSorted(([, a], [, b]) => b - a)
  return (
    <nav class="codes" aria-label="By code">
      {[['', all] as const, ...codes].map(([code, number]) => (
        <a
          key={code}
          class="button slim"
          href={linkTo('rejections', { code })}
          aria-current={code === chosen ? 'true' : undefined}
          title={explanationOf(code)?.means}
        >
          {code === '' ? 'All' : plain(code)} <span class="number soft">{count(number)}</span>
        </a>
      ))}
    </nav>
  )
}
