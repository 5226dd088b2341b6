import type { Store } from '../inbox/inbox.ts'
import type { MaintenanceFailure } from '../inbox/records.ts'
import type { FullLogger } from '../telemetry/logger.ts'

/** Milliseconds between two checks. */
const checkInterval = 1000

export const describeFailures = (failing: readonly MaintenanceFailure[]): string =>
  failing.map(({ work, message }) => `${work}: ${message}`).join('; ')

/**
 * Checks the maintenance of an inbox every second, and logs an error when a part of it fails with another message
 * than at the check before.
 * @returns A function that ends the checks.
 */
export function logMaintenanceFailures(
  inbox: Pick<Store, 'maintenanceFailures'>,
  logger: Pick<FullLogger, 'error'>,
): () => void {
  let known: readonly MaintenanceFailure[] = []
  const check = async (): Promise<void> => {
    const failing = (await inbox.maintenanceFailures?.()) ?? []
    const isKnown = ({ work, message }: MaintenanceFailure) =>
      known.some((one) => one.work === work && one.message === message)
    for (const one of failing.filter((one) => !isKnown(one))) {
      logger.error({ ...one }, `Maintenance of the inbox fails, and will be tried again: ${describeFailures([one])}`)
    }
    known = failing
  }
  // Other calls to the inbox report its errors.
  const timer = setInterval(() => void check().catch(() => undefined), checkInterval).unref()
  return () => clearInterval(timer)
}

/** @throws {Error} if this process sends no heartbeats, so that other processes may take over the tasks that it runs. */
export async function assertHeartbeats(inbox: Pick<Store, 'maintenanceFailures'>): Promise<void> {
  const failing = (await inbox.maintenanceFailures?.()) ?? []
  const found = failing.filter(({ work }) => work === 'heartbeats')
  if (found.length > 0) throw new Error(describeFailures(found))
}
