import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsMessages } from '../telemetry/diagnostics.ts'
import type { FullLogger } from '../telemetry/logger.ts'

/** Logs each successful attempt. The worker logs failed ones itself. @returns Stops it. */
export function logSuccesses(logger: FullLogger, level: 'debug' | 'info'): () => void {
  const onAttempt = (message: unknown) => {
    const { outcome, event, guid, handler, duration } = message as DiagnosticsMessages['attempt']
    if (outcome === 'succeeded') logger[level]({ event, guid, handler, duration }, 'Handler succeeded')
  }
  subscribe('hookserver:attempt', onAttempt)
  return () => void unsubscribe('hookserver:attempt', onAttempt)
}
