import type { SweepResult } from '../../src/server/api/schemas/responses.ts'
import { post } from '../api/client.ts'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import { count, deliveries } from '../ui/units.ts'

/** Runs a recovery sweep, and shows its result. */
export async function sweepNow(): Promise<void> {
  const { reports, missedDeliveries } = await post<SweepResult>('recovery/sweeps')
  const sent = reports.reduce((sum, report) => sum + report.sent, 0)
  showMessage(`GitHub sent ${deliveries(sent)}. Missed: ${count(missedDeliveries.length)}`)
  for (const { target, error } of reports) if (error !== undefined) showError(`${target}: ${plain(error)}`)
}
