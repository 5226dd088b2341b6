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

interface InboxCounts {
  states: Stats['states']
  /** Requests that were rejected in the last hour. */
  rejected: number
}

/** The version of the server when the page loaded. `undefined` until it is known. */
let version: string | undefined
/** Whether a server of another version has answered since then, so the code of this page may not fit it. */
export const isUpgraded = signal(false)

/** The numbers of deliveries by state, for the navigation, the tabs and the title. `undefined` until they are known. */
export const inboxCounts = signal<InboxCounts | undefined>(undefined)

export const dead = computed(() => inboxCounts.value?.states.dead ?? 0)

let delay = minDelay
let planned: ReturnType<typeof setTimeout> | undefined
/** Counts do not overlap: an older answer could replace a newer one, and slow requests would accumulate. */
let isCounting = false
/** Whether a count was requested while another one was running, so that its answer may be too old. */
let isOutdated = false

/**
 * Counts again, after the running count if there is one. If that fails, the old numbers stay: each screen reports that
 * requests fail.
 */
export async function updateCounts(): Promise<void> {
  if (isCounting) {
    isOutdated = true
    return
  }
  cancelPlanned()
  isCounting = true
  const start = performance.now()
  await get<Stats>('stats').then(
    ({ states, series, process }) => {
      version ??= process.version
      isUpgraded.value ||= version !== process.version
      const rejected = series.rejected.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0)
      inboxCounts.value = { states, rejected }
    },
    () => undefined,
  )
  delay = Math.max(minDelay, (performance.now() - start) / maxShare)
  isCounting = false
  if (isOutdated) updateCountsSoon()
}

/** Counts soon, because deliveries have changed. */
export function updateCountsSoon(): void {
  if (isCounting) isOutdated = true
  else planned ??= setTimeout(() => void updateCounts(), delay)
}

function cancelPlanned(): void {
  clearTimeout(planned)
  planned = undefined
  isOutdated = false
}

/** Keeps the counts up to date while the component is mounted and the page is visible. */
export function useInboxCounts(): void {
  useEffect(() => {
    void updateCounts()
    // Not at once, so that counts of a large inbox keep to their share of the server's time.
    const timer = setInterval(() => document.hidden || updateCountsSoon(), interval)
    return () => {
      clearInterval(timer)
      cancelPlanned()
    }
  }, [])
}
