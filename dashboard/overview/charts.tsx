import { useMemo } from 'preact/hooks'
import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import type { Series } from '../../src/server/api/schemas/responses.ts'
import { windows } from '../statistics/windows.ts'
import { count, duration } from '../ui/units.ts'
import { Chart } from './chart.tsx'
import { attempts, latencies, received } from './chart-data.ts'

/** Charts of deliveries, reply times, and attempts. */
export function Charts({ series, window }: { series: Series; window: WindowName }) {
  const [deliveries, replies, tries] = useMemo(() => [received(series), latencies(series), attempts(series)], [series])
  const { each } = windows[window]
  return (
    <div class="charts">
      <Chart title={`Deliveries per ${each}`} kind="bars" figures={deliveries} value={count} />
      <Chart title="Reply time" kind="lines" figures={replies} value={duration} />
      <Chart title={`Attempts per ${each}`} kind="bars" figures={tries} value={count} />
    </div>
  )
}
