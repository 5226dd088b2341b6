import type { WindowName } from '../../src/server/api/schemas/requests.ts'

interface Window {
  label: string
  /** The name in a sentence. */
  lasting: string
  /** The name of a step. */
  each: string
  minutes: number
}

/** The time windows. */
export const windows: Readonly<Record<WindowName, Window>> = {
  '1h': { label: '1 hour', lasting: 'the last hour', each: 'minute', minutes: 60 },
  '24h': { label: '24 hours', lasting: 'the last 24 hours', each: '15 minutes', minutes: 24 * 60 },
  '7d': { label: '7 days', lasting: 'the last 7 days', each: 'hour', minutes: 7 * 24 * 60 },
}

export const windowNames: readonly WindowName[] = Object.keys(windows) as WindowName[]

/** The window in the address. Default: an hour. */
export const windowIn = (text: string | undefined): WindowName => windowNames.find((name) => name === text) ?? '1h'
