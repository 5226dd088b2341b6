import { useState } from 'preact/hooks'
import type { MissedDeliveryState, Recovery } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { mayAct } from '../session/session.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon } from '../ui/icon.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { showError } from '../ui/toast.tsx'
import { count, counted } from '../ui/units.ts'
import { MissedDeliveries } from './missed-deliveries.tsx'
import { sweepNow } from './sweep.ts'
import { recoveryCard } from './warning-actions.ts'

const interval = 15_000

/** Missed deliveries, and the state of their recovery. */
export function RecoveryCard() {
  const { value, error, reload } = usePolled('recovery', interval, (signal) => get<Recovery>('recovery', {}, signal))
  return (
    <section class="card" id={recoveryCard} tabIndex={-1} aria-labelledby="recovery-title">
      <header>
        <h2 id="recovery-title">Recovery of missed deliveries</h2>
        {mayAct.value && value?.canSweep && <SweepNow onSwept={reload} />}
      </header>
      <div class="body recovering">
        {error && <Failure error={error} again={reload} />}
        {value &&
          (value.canSweep || value.last || value.missedDeliveries.length > 0 ? (
            <Found {...value} />
          ) : (
            <NotRecovering />
          ))}
      </div>
    </section>
  )
}

function NotRecovering() {
  return (
    <p class="soft">
      Missed deliveries are not recovered. To recover them, start the server with{' '}
      <code>hookserver serve --recover owner/repo#id</code>, where <code>id</code> is the id of the webhook on GitHub.
    </p>
  )
}

function SweepNow({ onSwept }: { onSwept: () => void }) {
  const [busy, setBusy] = useState(false)
  const sweep = async () => {
    setBusy(true)
    try {
      await sweepNow()
      onSwept()
    } catch (error) {
      showError(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class="button slim end" disabled={busy} onClick={sweep}>
      <Icon name="again" />
      {busy ? 'Checking…' : 'Check GitHub now'}
    </button>
  )
}

const meanings: Readonly<Record<MissedDeliveryState, string>> = {
  missed: 'not requested from GitHub yet, or the last request failed',
  requested: 'requested from GitHub, but not received yet',
  received: 'missed at first, and now in the inbox',
  expired: 'no longer available from GitHub',
  unrecorded: 'delivered according to GitHub, but not in the inbox',
}

function Found({ counts, missedDeliveries, last }: Recovery) {
  return (
    <>
      <dl class="states">
        {(Object.keys(meanings) as MissedDeliveryState[]).map((state) => (
          <div key={state} title={meanings[state]}>
            <dt>{state}</dt>
            <dd class="number">{count(counts[state])}</dd>
          </div>
        ))}
      </dl>
      {last && (
        <>
          <h3>
            Last sweep, <Ago at={last.at} />
          </h3>
          <ul class="reports">
            {last.reports.map((report) => (
              <Report key={`${report.target}#${report.hookId}`} {...report} isOlder={report.at < last.at} />
            ))}
          </ul>
        </>
      )}
      {missedDeliveries.length > 0 ? (
        <MissedDeliveries deliveries={missedDeliveries} />
      ) : (
        <p class="soft">No missed deliveries.</p>
      )}
    </>
  )
}

type ReportOfWebhook = NonNullable<Recovery['last']>['reports'][number]

/** @param isOlder Whether the report is not of the last sweep. Processes may sweep different webhooks. */
function Report({
  target,
  hookId,
  at,
  from,
  sent,
  unhandled,
  calls,
  error,
  isOlder,
}: ReportOfWebhook & { isOlder: boolean }) {
  return (
    <li>
      <strong class="foreign">{plain(hookId === undefined ? target : `${target}#${hookId}`)}</strong>
      {isOlder && (
        <>
          , <Ago at={at} />
        </>
      )}
      : {count(sent)} sent by GitHub
      {from !== undefined && (
        <>
          {' '}
          (checked from <Ago at={from} />)
        </>
      )}
      {unhandled > 0 && `, ${count(unhandled)} without a handler`}, {counted(calls, 'API request', 'API requests')}
      {error !== undefined && <span class="foreign problem"> {plain(error)}</span>}
    </li>
  )
}
