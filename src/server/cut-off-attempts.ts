import type { Store } from '../inbox/inbox.ts'
import { minute } from '../runtime/units.ts'
import { countedNames, type FullLogger } from '../telemetry/logger.ts'

/** Milliseconds between two checks. */
const checkInterval = 5000
/** Milliseconds that a check looks back: longer than the interval, because the clock of the store may differ. */
const lookback = 5 * minute

/**
 * Logs the attempts of any process that the store has cut off since the previous check: their process has died, or sent
 * no heartbeats.
 * @returns `started` resolves after the first check, which logs nothing. `stop` ends the checks.
 */
export function logCutOffAttempts(
  inbox: Pick<Store, 'counts'>,
  logger: Pick<FullLogger, 'warn'>,
): { started: Promise<void>; stop: () => void } {
  /** The counts at the previous check, by minute and handler. */
  let known: ReadonlyMap<string, number> | undefined
  const check = async (): Promise<void> => {
    const now = Date.now()
    const since = now - (now % minute) - lookback
    const counts = await inbox.counts({ since, step: minute, measures: ['attempts'] })
    const counted = counts.filter(({ outcome }) => outcome === 'cut off')
    const byHandler = new Map<string, number>()
    for (const { at, name, count } of counted) {
      const added = count - (known?.get(`${at} ${name}`) ?? 0)
      if (added > 0) byHandler.set(name, added + (byHandler.get(name) ?? 0))
    }
    if (known && byHandler.size > 0) {
      const handlers = Object.fromEntries(byHandler)
      const reason = 'their process died or sent no heartbeats'
      logger.warn({ handlers }, `Attempts were cut off and run again (${reason}): ${countedNames(handlers)}`)
    }
    known = new Map(counted.map(({ at, name, count }) => [`${at} ${name}`, count]))
  }
  const ignore = () => undefined // other calls to the inbox report its errors
  const started = check().catch(ignore)
  const timer = setInterval(() => void check().catch(ignore), checkInterval).unref()
  return { started, stop: () => clearInterval(timer) }
}
