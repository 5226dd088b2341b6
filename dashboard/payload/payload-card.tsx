import { memo } from 'preact/compat'
import { useEffect, useState } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { addressOf } from '../api/client.ts'
import { objectOf } from '../delivery/same-object.ts'
import { route } from '../route.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { bytes } from '../ui/units.ts'
import { otherIn } from './compare-with.tsx'
import { Difference } from './difference.tsx'
import { HexView } from './hex-view.tsx'
import type { Loaded } from './protocol.ts'
import type { Reader } from './reader.ts'
import { Tabs } from './tabs.tsx'
import { TextView } from './text-view.tsx'
import { TreeView } from './tree-view.tsx'
import './payload-card.css'

/** For a body with fewer bytes, the card reserves no space while the body loads. */
const shortBody = 2000

/**
 * The issue, branch or commit of a delivery (`objectOf`) is known only after a worker has matched the delivery. The card
 * must render again then.
 */
const keyOf = (detail: DeliveryDetail): string => JSON.stringify([detail.id, objectOf(detail)])

type View = 'tree' | 'text' | 'bytes' | 'difference'

/**
 * The payload as a tree, text, bytes and differences. A payload may be large, so the card renders only if its data
 * changed.
 */
export const PayloadCard = memo(
  function PayloadCard(props: { detail: DeliveryDetail; reader: Reader | undefined; loaded: Loaded | undefined }) {
    const { detail, reader, loaded } = props
    const [view, setView] = useState<View>(otherIn(route.value.search.compare) === undefined ? 'tree' : 'difference')
    useEffect(() => {
      if (loaded && loaded.rows === undefined) setView('text')
    }, [loaded])
    const hasTree = loaded?.rows !== undefined
    const views: readonly (readonly [View, string])[] = [
      ...(loaded && !hasTree ? [] : ([['tree', 'Tree']] as const)),
      ['text', 'Text'],
      ['bytes', 'Bytes'],
      ...(hasTree ? ([['difference', 'Difference']] as const) : []),
    ]
    return (
      <section class="card payload" aria-labelledby="payload">
        <header>
          <h2 id="payload">Payload</h2>
          <span class="soft small number">{bytes(detail.size)}</span>
          <Tabs label="Show the payload as" tabs={views} chosen={view} panel="payload-panel" onChoose={setView} />
          <a class="button slim end" href={addressOf(`deliveries/${detail.id}/body`)} download="">
            <Icon name="down" />
            Download
          </a>
        </header>
        {loaded?.why !== undefined && (
          <p class="note warn" role="status">
            <Icon name="warning" />
            <span class="foreign">{plain(loaded.why)}. The body is shown unchanged.</span>
          </p>
        )}
        {loaded?.isRounded && view === 'tree' && (
          <p class="note small">
            Some numbers have more digits than a browser can represent. The Text tab shows them exactly.
          </p>
        )}
        <div
          id="payload-panel"
          role="tabpanel"
          aria-label={views.find(([name]) => name === view)?.[1]}
          class={`panel ${!loaded && detail.size >= shortBody ? 'loading' : ''}`}
        >
          {!(reader && loaded) && <p class="blank">Loading…</p>}
          {reader && loaded && view === 'tree' && loaded.rows === 0 && <p class="blank">The payload is empty.</p>}
          {reader && view === 'tree' && loaded?.rows ? <TreeView reader={reader} rows={loaded.rows} /> : null}
          {reader && loaded && view === 'text' && <TextView reader={reader} label="The body as text" />}
          {reader && loaded && view === 'bytes' && <HexView reader={reader} size={loaded.size} />}
          {reader && loaded && view === 'difference' && <Difference detail={detail} reader={reader} />}
        </div>
      </section>
    )
  },
  (before, after) =>
    before.reader === after.reader && before.loaded === after.loaded && keyOf(before.detail) === keyOf(after.detail),
)
