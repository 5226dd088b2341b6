import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsMessages } from '../telemetry/diagnostics.ts'

/** Subscribes to an event of this process. @returns A function that unsubscribes. */
export function onEvent<Name extends keyof DiagnosticsMessages>(
  name: Name,
  listener: (message: DiagnosticsMessages[Name]) => void,
): () => void {
  const subscriber = (message: unknown) => listener(message as DiagnosticsMessages[Name])
  subscribe(`hookserver:${name}`, subscriber)
  return () => void unsubscribe(`hookserver:${name}`, subscriber)
}
