import type { DeliveryDetail, DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get, getBytes } from '../api/client.ts'
import { nameOf } from '../deliveries/summary.ts'
import { objectOf, previousOf } from '../delivery/same-object.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { useResource } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import type { Change, Comparison } from './compare.ts'
import type { Reader } from './reader.ts'

interface Compared {
  previous: DeliverySummary
  comparison: Comparison
}

/** The differences from the previous delivery of the same event about the same object. */
export function Difference({ detail, reader }: { detail: DeliveryDetail; reader: Reader }) {
  const { value, error, busy, reload } = useResource(`${detail.id} ${JSON.stringify(objectOf(detail))}`, (signal) =>
    compare(detail, reader, signal),
  )
  if (error) return <Failure error={error} again={reload} />
  if (busy) return <p class="blank">Comparing…</p>
  if (!value) {
    const isKnown = detail.state !== 'pending'
    return (
      <p class="blank">
        {isKnown
          ? `The inbox has no earlier ${plain(detail.event)} delivery about the same object.`
          : 'The payloads can be compared after the delivery has been matched with handlers.'}
      </p>
    )
  }
  const { previous, comparison } = value
  const { counts, changes } = comparison
  const all = counts.added + counts.removed + counts.changed
  return (
    <div class="difference">
      <p>
        Compared with{' '}
        <a class="foreign" href={linkTo(`deliveries/${previous.id}`)}>
          {plain(nameOf(previous))}, delivery {previous.id}
        </a>
        , <Ago at={previous.receivedAt} />:{' '}
        {all === 0
          ? 'no differences.'
          : `${count(counts.changed)} changed, ${count(counts.added)} added, ${count(counts.removed)} removed.`}
      </p>
      {all > 0 && <Changes changes={changes} />}
      {all > changes.length && <p class="soft">{count(all - changes.length)} more differences are not shown.</p>}
    </div>
  )
}

const looks = {
  added: { icon: 'plus', tone: 'good' },
  removed: { icon: 'minus', tone: 'bad' },
  changed: { icon: 'edit', tone: 'warn' },
} as const satisfies Record<Change['kind'], { icon: IconName; tone: string }>

function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <section class="scroll" aria-label="Differences" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Change</th>
            <th scope="col">Path</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ kind, path, before, after }, index) => (
            <tr key={index}>
              <td>
                <span class={`badge ${looks[kind].tone}`}>
                  <Icon name={looks[kind].icon} />
                  {kind}
                </span>
              </td>
              <td class="mono foreign">{plain(path)}</td>
              <td class="mono foreign">{before !== undefined && <del>{plain(before, 400)}</del>}</td>
              <td class="mono foreign">{after !== undefined && <ins>{plain(after, 400)}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

async function compare(detail: DeliveryDetail, reader: Reader, signal: AbortSignal): Promise<Compared | undefined> {
  const previous = await previousOf(detail, signal)
  if (!previous) return undefined
  const [{ form }, bytes] = await Promise.all([
    get<DeliveryDetail>(`deliveries/${previous.id}`, {}, signal),
    getBytes(`deliveries/${previous.id}/body`, signal),
  ])
  return { previous, comparison: await reader.ask('compare', { bytes, form }, [bytes]) }
}
