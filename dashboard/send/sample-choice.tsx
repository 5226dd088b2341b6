import type { SampleCount } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { nameOf } from '../deliveries/summary.ts'
import { go } from '../route.ts'
import { useResource } from '../ui/resource.ts'

/** Chooses a sample payload. */
export function SampleChoice({ event, sample, variants }: { event: string; sample: number; variants: number }) {
  const all = useResource('samples', (signal) => get<{ samples: SampleCount[] }>('samples', {}, signal))
  const names = [...new Set(all.value?.samples.map(nameOf))].toSorted()
  return (
    <div class="choice">
      <label>
        <span>Event</span>
        <select
          class="field"
          value={event}
          onChange={({ currentTarget }) => go(linkTo('send', { event: currentTarget.value }), { replace: true })}
        >
          {!names.includes(event) && <option value={event}>{event}</option>}
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Payload</span>
        <select
          class="field"
          value={String(sample)}
          disabled={variants < 2}
          onChange={({ currentTarget }) =>
            go(linkTo('send', { event, sample: currentTarget.value }), { replace: true })
          }
        >
          {Array.from({ length: variants }, (_, index) => (
            <option key={index} value={String(index)}>
              {index + 1} of {variants}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
