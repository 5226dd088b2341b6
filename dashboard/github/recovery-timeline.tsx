import type { Recovery } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { get } from '../api/client.ts'
import { SmallChart } from '../handlers/small-chart.tsx'
import { Failure } from '../ui/failure.tsx'
import { usePolled } from '../ui/resource.ts'
import { Ago, now } from '../ui/time.tsx'
import { count } from '../ui/units.ts'
import { missedPerHour } from './missed-per-hour.ts'

const interval = 60_000

/** The missed deliveries of the last days, and whether they were recovered. Nothing for a server that recovers nothing. */
export function RecoveryTimeline() {
  const { value, error, reload } = usePolled('recovery', interval, (signal) => get<Recovery>('recovery', {}, signal))
  if (error) return <Failure error={error} again={reload} />
  if (!value) return null
  const { canSweep, missedDeliveries, last } = value
  const hasMissed = missedDeliveries.length > 0
  if (!canSweep && !last && !hasMissed) return null
  return (
    <>
      {hasMissed && (
        <SmallChart
          title="Missed deliveries per hour"
          data={missedPerHour(missedDeliveries, now.value)}
          value={count}
        />
      )}
      <p class="soft">
        {last ? (
          <>
            The last recovery sweep was <Ago at={last.at} />.
          </>
        ) : (
          'No recovery sweep has run yet.'
        )}{' '}
        {hasMissed ? (
          <>
            The <a href={linkTo('overview')}>overview</a> lists the missed deliveries.
          </>
        ) : (
          'No missed deliveries.'
        )}
      </p>
    </>
  )
}
