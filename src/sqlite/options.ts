import { storeChecks, storeDefaults } from '../inbox/store-options.ts'
import { type Check, checkOptions } from '../runtime/check-options.ts'
import { maxTimer } from '../runtime/timer.ts'
import { type Duration, durationCheck, type Size, sizeCheck, toBytes, toMilliseconds } from '../runtime/units.ts'

/** Options of `sqlite(path, options)`. */
export interface SqliteOptions {
  /** How long an ended delivery is kept after its receipt. Default: 30 days. */
  retention?: Duration | undefined
  /**
   * Maximum size of the file. While more than nine tenths of it are in use, ended deliveries are deleted
   * before their `retention` is over: first those that are `done`, then `ignored`, then `discarded`, then `dead`, of
   * each state the oldest first. If no ended delivery is left, and the file has its maximum size, new deliveries get
   * 503 `inbox_unavailable`, and imports fail. The outcomes of attempts are still recorded, and make the file larger.
   * Default: no limit.
   */
  maxSize?: Size | undefined
  /** How long to wait while another process writes. Default: 5 s. */
  lockTimeout?: Duration | undefined
  /**
   * The time between heartbeats, at most 60 s. A worker that misses five of them counts as dead, and other workers
   * run its tasks again. Default: 5 s.
   */
  heartbeat?: Duration | undefined
  /**
   * The time after which a due task ends as `gone` if no worker has registered its handler in that time. Time in
   * which no worker runs at all does not count. Default: 24 hours.
   */
  vanishAfter?: Duration | undefined
  /** How long an entry of the audit log is kept. Default: 365 days. */
  auditRetention?: Duration | undefined
  /** Maximum entries of the audit log: the oldest are deleted first. Default: 100,000. */
  auditEntries?: number | undefined
}

export type SqliteSettings = Record<keyof SqliteOptions, number>

const defaults: SqliteSettings = {
  ...storeDefaults,
  maxSize: Number.MAX_SAFE_INTEGER,
  lockTimeout: 5000,
  heartbeat: 5000,
}

/** The minimum of `maxSize`. A file of this size has room for the schema and a few deliveries. */
const minSize = 1024 * 1024

const checks: Record<keyof SqliteOptions, Check> = {
  ...storeChecks,
  maxSize: sizeCheck({ min: minSize }),
  lockTimeout: durationCheck({ max: maxTimer }),
}

/** @throws {TypeError} naming an option that is unknown or has an invalid value. */
export function resolveSqliteOptions(given: SqliteOptions): SqliteSettings {
  checkOptions(given, checks, { prefix: 'sqlite' })
  const settings = { ...defaults }
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue
    const name = option as keyof SqliteOptions
    settings[name] = name === 'maxSize' ? toBytes(value as Size) : toMilliseconds(value as Duration)
  }
  return settings
}
