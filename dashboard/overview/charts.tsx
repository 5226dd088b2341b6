import { useMemo } from 'preact/hooks'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Series } from '../../src/server/api/schemas/responses.ts'
import { count, duration } from '../ui/units.ts'
import { Chart } from './chart.tsx'
import { attempts, latencies, received } from './chart-data.ts'
import { windows } from './windows.ts'

/** Charts of deliveries, answer times, and attempts. */
export function Charts({ series, window }: { series: Series; window: WindowName }) {
  const [came, answered, tried] = useMemo(() => [received(series), latencies(series), attempts(series)], [series])
  const { each } = windows[window]
  return (
    <div class="charts">
      <Chart title={`Deliveries per ${each}`} kind="bars" figures={came} value={count} />
      <Chart title="Answer time" kind="lines" figures={answered} value={duration} />
      <Chart title={`Attempts per ${each}`} kind="bars" figures={tried} value={count} />
    </div>
  )
}
