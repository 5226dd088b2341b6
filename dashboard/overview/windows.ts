import type { WindowName } from '../../src/server/api/schemas/queries.ts'

/** How far one looks back, how that reads in a sentence, and the steps that there are. */
export const windows: Readonly<Record<WindowName, { label: string; lasting: string; each: string }>> = {
  '1h': { label: '1 hour', lasting: 'the last hour', each: 'minute' },
  '24h': { label: '24 hours', lasting: 'the last 24 hours', each: '15 minutes' },
  '7d': { label: '7 days', lasting: 'the last 7 days', each: 'hour' },
}

export const windowNames: readonly WindowName[] = Object.keys(windows) as WindowName[]

/** What the address says; an hour if that means nothing. */
export const windowIn = (text: string | undefined): WindowName => windowNames.find((name) => name === text) ?? '1h'
