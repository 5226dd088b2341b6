import type { WindowName } from '../../src/server/api/schemas/requests.ts'

/** The time windows, their names in a sentence, and their steps. */
export const windows: Readonly<Record<WindowName, { label: string; lasting: string; each: string }>> = {
  '1h': { label: '1 hour', lasting: 'the last hour', each: 'minute' },
  '24h': { label: '24 hours', lasting: 'the last 24 hours', each: '15 minutes' },
  '7d': { label: '7 days', lasting: 'the last 7 days', each: 'hour' },
}

export const windowNames: readonly WindowName[] = Object.keys(windows) as WindowName[]

/** The window in the address. Default: an hour. */
export const windowIn = (text: string | undefined): WindowName => windowNames.find((name) => name === text) ?? '1h'
