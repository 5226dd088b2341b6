import type { RateLimits as Answer } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'
import { count } from '../ui/units.ts'

const interval = 10_000

/** How many requests GitHub still allows each caller. */
export function RateLimits() {
  const { value, error, reload } = usePolled('limits', interval, (signal) => get<Answer>('github/limits', {}, signal))
  if (error) return <Failure error={error} again={reload} />
  if (!value || value.limits.length === 0) return null
  return (
    <section class="card" aria-labelledby="limits-title">
      <header>
        <h2 id="limits-title">Rate limits</h2>
        <span class="soft small">of the requests of this process</span>
      </header>
      <div class="body">
        <table class="table" aria-labelledby="limits-title">
          <thead>
            <tr>
              <th scope="col">Caller</th>
              <th scope="col">Resource</th>
              <th scope="col">Limit</th>
              <th scope="col">Used</th>
              <th scope="col">Left</th>
              <th scope="col">Resets</th>
            </tr>
          </thead>
          <tbody>
            {value.limits.map(({ caller, resource, limit, remaining, resetAt }) => (
              <tr key={`${caller} ${resource}`}>
                <td class="foreign">{plain(caller)}</td>
                <td class="foreign">{plain(resource)}</td>
                <td class="number">{count(limit)}</td>
                <td class="number">{count(limit - remaining)}</td>
                <td class={remaining === 0 ? 'number problem' : 'number'}>{count(remaining)}</td>
                <td>
                  <Ago at={resetAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
