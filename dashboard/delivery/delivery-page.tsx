import { useEffect, useState } from 'preact/hooks'
import { linkTo } from '../address.ts'
import type { DeliveryDetail } from '../api/answers.ts'
import { ApiError, get } from '../api/client.ts'
import { PayloadCard } from '../payload/payload-card.tsx'
import { mayAct } from '../session/session.ts'
import { Failure } from '../ui/failure.tsx'
import { useKeys } from '../ui/keys.ts'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { copyCurl } from './copy-curl.ts'
import { backToList, Head } from './head.tsx'
import { Others } from './others.tsx'
import { Request } from './request.tsx'
import { Tasks } from './tasks.tsx'
import { Timeline } from './timeline.tsx'
import { usePayload } from './use-payload.ts'
import { WhyItFailed } from './why-it-failed.tsx'
import './delivery.css'

/** Milliseconds between two looks at a delivery that goes on, and at one that has ended, which somebody may retry. */
const soon = 2000
const later = 20_000

const goesOn = ({ state }: DeliveryDetail): boolean => ['pending', 'running', 'waiting'].includes(state)

/** All that is known of one delivery. */
export function DeliveryPage({ id }: { id: string }) {
  const { value: detail, error, reload } = useKnown(id)
  useKeys({ Escape: backToList, c: () => detail && mayAct.value && void copyCurl(detail.id) })
  if (error instanceof ApiError && error.status === 404) return <NotFound id={id} />
  return (
    <div class="delivery">
      {error && <Failure error={error} again={reload} />}
      {!detail && <h1 class="waiting">Delivery {plain(id, 20)}</h1>}
      {!detail && !error && <p class="soft">Loading…</p>}
      {detail && <Known detail={detail} reload={reload} />}
    </div>
  )
}

function useKnown(id: string) {
  const [interval, setInterval] = useState(soon)
  const known = usePolled(id, interval, (signal) =>
    get<DeliveryDetail>(`deliveries/${encodeURIComponent(id)}`, {}, signal),
  )
  useEffect(() => setInterval(known.value && !goesOn(known.value) ? later : soon), [known.value])
  return known
}

function Known({ detail, reload }: { detail: DeliveryDetail; reload: () => void }) {
  const payload = usePayload(detail)
  return (
    <>
      <Head detail={detail} link={payload.loaded?.link} reload={reload} />
      <WhyItFailed detail={detail} />
      <Timeline detail={detail} />
      <div class="columns">
        <div class="main">
          <Tasks detail={detail} />
          {payload.error && <Failure error={payload.error} again={payload.again} />}
          <PayloadCard detail={detail} reader={payload.reader} loaded={payload.loaded} />
        </div>
        <div class="side">
          <Request detail={detail} />
          <Others detail={detail} />
        </div>
      </div>
    </>
  )
}

function NotFound({ id }: { id: string }) {
  return (
    <div class="blank">
      <h1>There is no delivery {plain(id, 40)}</h1>
      <p>Its number is wrong, or it was deleted when its time of retention was over.</p>
      <a class="button" href={linkTo('deliveries')}>
        All deliveries
      </a>
    </div>
  )
}
