import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { ApiError, get } from '../api/client.ts'
import { Stream, type Watcher } from '../api/stream.ts'
import { ConnectionNote } from '../deliveries/connection-note.tsx'
import { opened } from '../deliveries/opened.ts'
import { PausedNote } from '../handlers/paused-note.tsx'
import { PayloadCard } from '../payload/payload-card.tsx'
import { go } from '../route.ts'
import { mayAct } from '../session/session.ts'
import { Failure } from '../ui/failure.tsx'
import { useKeys } from '../ui/keys.ts'
import { useResource } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import { backToList } from './back-to-list.ts'
import { Beside } from './beside.ts'
import { copyCurl } from './copy-curl.ts'
import { DeliveryHeader, type Move } from './delivery-header.tsx'
import { FailureNote } from './failure-note.tsx'
import { neighborOf } from './neighbor.ts'
import { RelatedDeliveries } from './related-deliveries.tsx'
import { Request } from './request.tsx'
import { Tasks } from './tasks.tsx'
import { Timeline } from './timeline.tsx'
import { usePayload } from './use-payload.ts'
import { Waterfall } from './waterfall.tsx'
import './delivery.css'

/** Everything about one delivery. The id is text from the address, so it is not necessarily a number. */
export function DeliveryPage({ id }: { id: string }) {
  return /^[1-9]\d{0,14}$/.test(id) ? <Delivery id={id} /> : <NotFound id={id} />
}

function Delivery({ id }: { id: string }) {
  const { value: detail, error, reload, connection } = useKnown(id, followStream)
  useLayoutEffect(() => opened(Number(id)), [id])
  const isMoving = useRef(false)
  /** Shows the next or previous delivery. It replaces this one in the history, so that Back leads to the list. */
  const move: Move = async (by) => {
    if (isMoving.current) return
    isMoving.current = true
    try {
      const next = await neighborOf(Number(id), by)
      if (next === undefined) showMessage(`There is no ${by === 1 ? 'older' : 'newer'} delivery in the list`)
      else go(linkTo(`deliveries/${next}`), { replace: true })
    } catch (error) {
      showError(error)
    } finally {
      isMoving.current = false
    }
  }
  useKeys({
    Escape: backToList,
    c: () => detail && mayAct.value && void copyCurl(detail.id),
    j: () => void move(1),
    k: () => void move(-1),
  })
  if (error instanceof ApiError && error.status === 404) return <NotFound id={id} />
  return (
    <div class="delivery">
      {connection && <ConnectionNote connection={connection} />}
      {error && <Failure error={error} again={reload} />}
      {!detail && <h1>Delivery {plain(id, 20)}</h1>}
      {!detail && !error && <p class="soft">Loading…</p>}
      {detail && <Known detail={detail} reload={reload} move={move} />}
    </div>
  )
}

/** A delivery beside the list, which has the keys. The delivery before it stays while it is loaded. */
export function DeliveryBeside({ id, follow }: { id: number; follow: Follow }) {
  const { value: detail, error, reload } = useKnown(String(id), follow)
  if (error instanceof ApiError && error.status === 404) {
    return <p class="note">There is no delivery {id}: it was deleted, or the number is wrong.</p>
  }
  return (
    <Beside.Provider value={true}>
      <div class="delivery">
        {error && <Failure error={error} again={reload} />}
        {!detail && !error && <p class="soft">Loading…</p>}
        {detail && <Known key={detail.id} detail={detail} reload={reload} />}
      </div>
    </Beside.Provider>
  )
}

/** Reports changes of deliveries until `close()` is called. */
type Follow = (watcher: Watcher) => Pick<Stream, 'connection' | 'close'>

const followStream: Follow = (watcher) => new Stream(watcher)

/** The delivery. It is loaded again when it has changed, or when a change may be missing. */
function useKnown(id: string, follow: Follow) {
  const known = useResource(id, (signal) => get<DeliveryDetail>(`deliveries/${id}`, {}, signal))
  const [connection, setConnection] = useState<Stream['connection']>()
  const reload = useRef(known.reload)
  reload.current = known.reload
  useEffect(() => {
    const stream = follow({
      onReady: () => reload.current(),
      onChanges: (changes) => changes.some((one) => String(one.id) === id) && reload.current(),
      onReset: () => reload.current(),
    })
    setConnection(stream.connection)
    return () => stream.close()
  }, [id])
  return { ...known, connection }
}

function Known({ detail, reload, move }: { detail: DeliveryDetail; reload: () => void; move?: Move }) {
  const payload = usePayload(detail)
  return (
    <>
      <DeliveryHeader detail={detail} link={payload.loaded?.link} reload={reload} move={move} />
      {detail.pausedHandlers && <PausedNote handlers={detail.pausedHandlers} who="Waits" onResume={reload} />}
      <FailureNote detail={detail} />
      <Timeline detail={detail} />
      <Waterfall detail={detail} />
      <div class="columns">
        <div class="main">
          <Tasks detail={detail} reload={reload} />
          {payload.error && <Failure error={payload.error} again={payload.again} />}
          <PayloadCard detail={detail} reader={payload.reader} loaded={payload.loaded} />
        </div>
        <div class="side">
          <Request detail={detail} />
          <RelatedDeliveries detail={detail} />
        </div>
      </div>
    </>
  )
}

function NotFound({ id }: { id: string }) {
  return (
    <div class="blank">
      <h1>There is no delivery {plain(id, 40)}</h1>
      <p>The number is wrong, or the delivery was deleted after its retention time.</p>
      <a class="button" href={linkTo('deliveries')}>
        All deliveries
      </a>
    </div>
  )
}
