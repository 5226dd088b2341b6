import { computed, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'

/** Milliseconds between two counts if nothing changes. */
const interval = 15_000
/** Minimum milliseconds from a change until the next count, so that one count serves many changes. */
const minDelay = 1000
/** A count may take this share of the server's time, because a large inbox counts longer. */
const maxShare = 0.1

export interface InboxCounts {
  states: Stats['states']
  /** Requests that were rejected in the last hour. */
  rejected: number
}

/** The numbers of deliveries by state, for the navigation, the tabs and the title. `undefined` until they are known. */
export const inboxCounts = signal<InboxCounts | undefined>(undefined)

export const dead = computed(() => inboxCounts.value?.states.dead ?? 0)

let delay = minDelay
let planned: ReturnType<typeof setTimeout> | undefined

/** Counts again. If that fails, the old numbers stay: each screen reports that requests fail. */
export async function updateCounts(): Promise<void> {
  clearTimeout(planned)
  planned = undefined
  const start = performance.now()
  await get<Stats>('stats').then(
    ({ states, series }) => {
      const rejected = series.rejected.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0)
      inboxCounts.value = { states, rejected }
    },
    () => undefined,
  )
  delay = Math.max(minDelay, (performance.now() - start) / maxShare)
}

/** Counts soon, because deliveries have changed. */
export function updateCountsSoon(): void {
  planned ??= setTimeout(() => void updateCounts(), delay)
}

/** Keeps the counts up to date while the component is mounted and the page is visible. */
export function useInboxCounts(): void {
  useEffect(() => {
    void updateCounts()
    const timer = setInterval(() => document.hidden || void updateCounts(), interval)
    return () => {
      clearInterval(timer)
      clearTimeout(planned)
      planned = undefined
    }
  }, [])
}
