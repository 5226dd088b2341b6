import { signal } from '@preact/signals'
import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'

/** The delivery whose page was shown last. The list marks its row. */
export const lastOpened = signal<number | undefined>(undefined)

/** The list that was shown last: its address, which is a fragment, its search, and its rows. */
export const lastList: { address: string; text: string; rows: readonly DeliverySummary[] } = {
  ...{ address: '', text: '', rows: [] },
}

/** Whether the list scrolls to the row of that delivery and focuses its link. */
let isReturning = false

/** Remembers the delivery whose page is shown, so that the list returns to its row. */
export function opened(id: number): void {
  lastOpened.value = id
  isReturning = true
}

/** Lets the next list start at its top. */
export function forgetPlace(): void {
  isReturning = false
}

/** The delivery to whose row the list at this address returns. */
export function placeToReturnTo(address: string): number | undefined {
  return isReturning && address === lastList.address ? lastOpened.value : undefined
}

/** Scrolls to the row of the delivery whose page was shown last, and focuses its link. */
export function returnToRow(table: Element | null): void {
  if (!isReturning) return
  isReturning = false
  const link = table?.querySelector<HTMLAnchorElement>(`a.open[href="#/deliveries/${lastOpened.value}"]`)
  link?.focus({ preventScroll: true })
  link?.closest('tr')?.scrollIntoView({ block: 'center' })
}
