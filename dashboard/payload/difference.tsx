import type { DeliveryDetail, DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get, getBytes } from '../api/client.ts'
import { nameOf } from '../deliveries/summary.ts'
import { objectOf, previousOf } from '../delivery/same-object.ts'
import { route } from '../route.ts'
import { Failure } from '../ui/failure.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { useResource } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import type { Change, Comparison } from './compare.ts'
import { CompareWith, otherIn } from './compare-with.tsx'
import type { Reader } from './reader.ts'

interface Compared {
  other: DeliverySummary
  comparison: Comparison
}

/**
 * The differences from the delivery that the parameter `compare` of the address names, or else from the previous
 * delivery of the same event about the same object.
 */
export function Difference({ detail, reader }: { detail: DeliveryDetail; reader: Reader }) {
  const other = otherIn(route.value.search.compare)
  return (
    <div class="difference">
      <CompareWith id={detail.id} other={other} />
      <Found key={other} detail={detail} reader={reader} chosen={other} />
    </div>
  )
}

function Found(props: { detail: DeliveryDetail; reader: Reader; chosen: number | undefined }) {
  const { detail, reader, chosen } = props
  const key = `${detail.id} ${chosen} ${JSON.stringify(objectOf(detail))}`
  const { value, error, busy, reload } = useResource(key, (signal) => compare(detail, chosen, reader, signal))
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
  const { other, comparison } = value
  const { counts, changes } = comparison
  const all = counts.added + counts.removed + counts.changed
  return (
    <>
      <p>
        Compared with{' '}
        <a class="foreign" href={linkTo(`deliveries/${other.id}`)}>
          {plain(nameOf(other))}, delivery {other.id}
        </a>
        , <Ago at={other.receivedAt} />:{' '}
        {all === 0
          ? 'no differences.'
          : `${count(counts.changed)} changed, ${count(counts.added)} added, ${count(counts.removed)} removed.`}
      </p>
      {all > 0 && <Changes changes={changes} names={[`Delivery ${other.id}`, `Delivery ${detail.id}`]} />}
      {all > changes.length && <p class="soft">{count(all - changes.length)} more differences are not shown.</p>}
    </>
  )
}

const looks = {
  added: { icon: 'plus', tone: 'good' },
  removed: { icon: 'minus', tone: 'bad' },
  changed: { icon: 'edit', tone: 'warn' },
} as const satisfies Record<Change['kind'], { icon: IconName; tone: string }>

function Changes(props: { changes: readonly Change[]; names: readonly [before: string, after: string] }) {
  const { changes, names } = props
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <section class="scroll" aria-label="Differences" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col" class="kind">
              Change
            </th>
            <th scope="col">Path</th>
            <th scope="col">{names[0]}</th>
            <th scope="col">{names[1]}</th>
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

/** @param chosen The id of the other delivery. `undefined`: the previous one about the same object, if there is one. */
async function compare(
  detail: DeliveryDetail,
  chosen: number | undefined,
  reader: Reader,
  signal: AbortSignal,
): Promise<Compared | undefined> {
  const id = chosen ?? (await previousOf(detail, signal))?.id
  if (id === undefined) return undefined
  const [other, bytes] = await Promise.all([
    get<DeliveryDetail>(`deliveries/${id}`, {}, signal),
    getBytes(`deliveries/${id}/body`, signal),
  ])
  return { other, comparison: await reader.ask('compare', { bytes, form: other.form }, [bytes]) }
}
