/** The options that both stores have, and how long they keep data by default. */
import { type Check, isWhole, must } from '../runtime/check-options.ts'
import { ageCheck, day, durationCheck } from '../runtime/units.ts'
import type { AuditLimits } from './audit-log.ts'

interface StoreSettings extends AuditLimits {
  retention: number
  vanishAfter: number
}

export const storeDefaults: StoreSettings = {
  retention: 30 * day,
  vanishAfter: day,
  auditRetention: 365 * day,
  auditEntries: 100_000,
}

export const storeChecks: Record<keyof StoreSettings | 'heartbeat', Check> = {
  retention: ageCheck('d'),
  vanishAfter: ageCheck('h'),
  heartbeat: durationCheck({ max: 60_000 }),
  auditRetention: ageCheck('d'),
  auditEntries: must((value) => isWhole(value, 1), 'a whole number of entries, 1 at least'),
}
