import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { now } from '../ui/time.tsx'
import { duration } from '../ui/units.ts'
import { type Lane, waterfallOf } from './lanes.ts'
import './waterfall.css'

/** The units of a lane, which is stretched to the width of its box. */
const [width, height] = [1000, 16]
/** The units of the shortest segment that can be seen. */
const minWidth = 3
const ticks = [0, 0.25, 0.5, 0.75, 1]

/** When each handler waited and ran: one lane for each handler, from the receipt of the delivery on. */
export function Waterfall({ detail }: { detail: DeliveryDetail }) {
  if (detail.tasks.length === 0) return null
  const { lanes, length } = waterfallOf(detail, isUnfinished(detail) ? now.value : detail.receivedAt)
  return (
    <section class="card waterfall" aria-labelledby="waterfall">
      <header>
        <h2 id="waterfall">Waits and attempts</h2>
        <p class="legend small">
          {[...new Set(lanes.flatMap(({ segments }) => segments.map(({ kind }) => kind)))].map((kind) => (
            <span key={kind}>
              <svg viewBox="0 0 20 10" aria-hidden="true">
                <Bar kind={kind} x={0} width={20} height={10} />
              </svg>{' '}
              {kind === 'next' ? 'until the next attempt' : kind}
            </span>
          ))}
        </p>
      </header>
      <ul>
        {lanes.map((lane) => (
          <LaneRow key={lane.handler} lane={lane} length={length} />
        ))}
      </ul>
      <p class="axis small soft number" aria-hidden="true">
        {ticks.map((share) => (
          <span key={share}>{share === 0 ? 'received' : `+${duration(share * length)}`}</span>
        ))}
      </p>
    </section>
  )
}

const isUnfinished = ({ state }: DeliveryDetail): boolean => ['pending', 'running', 'retrying'].includes(state)

function LaneRow({ lane, length }: { lane: Lane; length: number }) {
  const { handler, state, segments, summary } = lane
  const scale = (ms: number) => (ms / length) * width
  return (
    <li>
      <span class="who">
        <span class="foreign">{plain(handler, 120)}</span> <StateBadge state={state} />
      </span>
      <svg
        class="lane"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={plain(summary, 2000)}
      >
        {ticks.map((share) => (
          <path key={share} class="tick" d={`M${share * width} 0V${height}`} />
        ))}
        {segments.map(({ kind, from, to }, index) => {
          const wide = Math.max(scale(to - from), minWidth)
          // A short segment at the end of the axis would be outside of the box.
          return <Bar key={index} kind={kind} x={Math.min(scale(from), width - wide)} width={wide} height={height} />
        })}
      </svg>
    </li>
  )
}

/** A wait is a thin line, an attempt is a box. A failed attempt has a stripe, because color alone does not tell it. */
function Bar(props: { kind: string; x: number; width: number; height: number }) {
  const { kind, x, width: wide, height: high } = props
  const name = kind.replace(' ', '-')
  if (kind === 'waiting' || kind === 'next') return <path class={name} d={`M${x} ${high / 2}h${wide}`} />
  const isFailure = kind === 'failed' || kind === 'dead' || kind === 'cut off'
  return (
    <>
      <rect class={name} x={x} width={wide} height={high} />
      {isFailure && <path class="stripe" d={`M${x} ${high / 2}h${wide}`} />}
    </>
  )
}
