import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { get } from '../api/client.ts'

const interval = 15_000

/** The number of dead deliveries, for the navigation and the title of the page. 0 until it is known. */
export const dead = signal(0)

/** Counts the dead deliveries again. If that fails, the old number stays: each screen reports that requests fail. */
export async function countDead(): Promise<void> {
  await get<Stats>('stats').then(
    ({ states }) => {
      dead.value = states.dead
    },
    () => undefined,
  )
}

/** Counts the dead deliveries while the component is mounted and the page is visible. */
export function useDeadCount(): void {
  useEffect(() => {
    void countDead()
    const timer = setInterval(() => document.hidden || void countDead(), interval)
    return () => clearInterval(timer)
  }, [])
}
