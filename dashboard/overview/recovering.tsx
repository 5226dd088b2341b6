import { useState } from 'preact/hooks'
import type { Gap, GapState, Recovery, SweepReport } from '../../src/server/api/schemas/responses.ts'
import { get, post } from '../api/client.ts'
import { mayAct } from '../session/session.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { complain, say } from '../ui/toast.tsx'
import { count, counted } from '../ui/units.ts'
import { Gaps } from './gaps.tsx'

const interval = 15_000

/** Missed deliveries, and the state of their recovery. */
export function Recovering() {
  const { value, error, reload } = usePolled('recovery', interval, (signal) => get<Recovery>('recovery', {}, signal))
  return (
    <section class="card">
      <header>
        <h2>Fetching what was missed</h2>
        {mayAct.value && <LookNow onLooked={reload} />}
      </header>
      <div class="body recovering">
        {error && <Failure error={error} again={reload} />}
        {value && (value.last || value.gaps.length > 0 ? <Found {...value} /> : <Nobody />)}
      </div>
    </section>
  )
}

function Nobody() {
  return (
    <p class="soft">
      Nobody looks for what GitHub sent and did not come in. Start the server with{' '}
      <code>hookserver serve --recover owner/repo#id</code>, with the number of the webhook, and it fetches what is
      missing.
    </p>
  )
}

function LookNow({ onLooked }: { onLooked: () => void }) {
  const [busy, setBusy] = useState(false)
  const look = async () => {
    setBusy(true)
    try {
      const { reports, gaps } = await post<{ reports: SweepReport[]; gaps: Gap[] }>('recovery')
      const sent = reports.reduce((sum, report) => sum + report.sent, 0)
      say(
        `Looked at ${counted(sent, 'delivery', 'deliveries')} that GitHub sent: ${count(gaps.length)} did not come in`,
      )
      for (const { target, error } of reports) if (error !== undefined) complain(`${target}: ${plain(error)}`)
      onLooked()
    } catch (error) {
      complain(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class="button slim end" disabled={busy} onClick={look}>
      <Icon name="again" />
      {busy ? 'Looking…' : 'Look now'}
    </button>
  )
}

const meanings: Readonly<Record<GapState, string>> = {
  missed: 'to be asked for',
  asked: 'asked for, and not here yet',
  arrived: 'came in after all',
  'given up': 'GitHub has them no more',
  absent: 'delivered, says GitHub, and not here',
}

function Found({ counts, gaps, last }: Recovery) {
  return (
    <>
      <dl class="states">
        {(Object.keys(meanings) as GapState[]).map((state) => (
          <div key={state} title={meanings[state]}>
            <dt>{state}</dt>
            <dd class="number">{count(counts[state])}</dd>
          </div>
        ))}
      </dl>
      {last && (
        <>
          <h3>
            The last look, <Ago at={last.at} />
          </h3>
          <ul class="reports">
            {last.reports.map((report) => (
              <Report key={`${report.target}#${report.hookId}`} {...report} />
            ))}
          </ul>
        </>
      )}
      {gaps.length > 0 ? <Gaps gaps={gaps} /> : <p class="soft">Nothing is missing.</p>}
    </>
  )
}

function Report({ target, hookId, from, sent, unhandled, calls, error }: SweepReport) {
  return (
    <li>
      <strong class="foreign">{plain(hookId === undefined ? target : `${target}#${hookId}`)}</strong>: {count(sent)}{' '}
      sent
      {from !== undefined && (
        <>
          {' '}
          since <Ago at={from} />
        </>
      )}
      {unhandled > 0 && `, ${count(unhandled)} that nobody handles`}, {counted(calls, 'request', 'requests')} to GitHub
      {error !== undefined && <span class="foreign problem"> {plain(error)}</span>}
    </li>
  )
}
