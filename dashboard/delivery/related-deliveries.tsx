import type { DeliveryDetail, DeliverySummary } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { nameOf, shortRef } from '../deliveries/summary.ts'
import { Breakable } from '../ui/breakable.tsx'
import { Failure } from '../ui/failure.tsx'
import { useResource } from '../ui/resource.ts'
import { StateBadge } from '../ui/state.tsx'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { linkToObject, objectOf, relatedTo } from './same-object.ts'

/** Other deliveries about the same issue, pull request, branch or commit. */
export function RelatedDeliveries({ detail }: { detail: DeliveryDetail }) {
  const object = objectOf(detail)
  const key = `${detail.id} ${JSON.stringify(object)}`
  const { value, error, busy, reload } = useResource(key, (signal) => relatedTo(detail, signal))
  if (!object) return null
  const what =
    object.number !== undefined ? `#${object.number}` : plain(shortRef(object.ref ?? object.sha?.slice(0, 7) ?? ''), 60)
  const isAlone = value && value.newer.length + value.older.length === 0
  return (
    <section class="card others" aria-labelledby="others">
      <header>
        <h2 id="others">
          Other deliveries of <span class="foreign">{what}</span>
        </h2>
        {value && !isAlone && (
          <a class="end small" href={linkToObject(object)}>
            Show all
          </a>
        )}
      </header>
      {error && <Failure error={error} again={reload} />}
      {!value && busy && <p class="body soft">Loading…</p>}
      {isAlone && <p class="body soft">No other deliveries.</p>}
      {value && !isAlone && (
        <ol>
          {value.newer.map((one) => (
            <Other key={one.id} delivery={one} />
          ))}
          <li class="here" aria-current="true">
            this delivery
          </li>
          {value.older.map((one) => (
            <Other key={one.id} delivery={one} />
          ))}
        </ol>
      )}
    </section>
  )
}

function Other({ delivery }: { delivery: DeliverySummary }) {
  return (
    <li>
      <StateBadge state={delivery.state} />
      <a class="foreign" href={linkTo(`deliveries/${delivery.id}`)}>
        <Breakable text={plain(nameOf(delivery), 80)} />
      </a>
      <span class="soft small">
        <Ago at={delivery.receivedAt} />
      </span>
    </li>
  )
}
