import type { MissedDelivery } from '../../src/server/api/schemas/responses.ts'
import type { ChartData, Line } from '../overview/chart-data.ts'

const hour = 3_600_000
/** GitHub keeps deliveries for three days. */
const hours = 72

/** The missed deliveries by the hour in which GitHub first sent them. @param now A time in the last hour of the chart. */
export function missedPerHour(deliveries: readonly MissedDelivery[], now: number): ChartData {
  const since = (Math.floor(now / hour) - hours + 1) * hour
  const at = Array.from({ length: hours }, (_, index) => since + index * hour)
  const line = (name: string, color: Line['color'], isCounted: (one: MissedDelivery) => boolean): Line => {
    const values = at.map(() => 0)
    for (const { deliveredAt } of deliveries.filter(isCounted)) {
      const index = Math.floor((deliveredAt - since) / hour)
      if (values[index] !== undefined) values[index] += 1
    }
    return { name, color, values }
  }
  return {
    ...{ at, step: hour },
    lines: [
      line('missed', '--chart-2', () => true),
      line('received later', '--chart-1', ({ state }) => state === 'received'),
      line('expired', '--chart-3', ({ state }) => state === 'expired'),
    ],
  }
}
