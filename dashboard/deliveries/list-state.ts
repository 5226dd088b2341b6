import { type Signal, signal } from '@preact/signals'
import { useLayoutEffect, useMemo } from 'preact/hooks'
import type { LiveList } from './live-list.ts'

/** Up to this many pixels from the top, the page counts as scrolled to the top. */
const atTheTop = 8

/** The selection, and whether inserting new rows would disturb the operator. */
export class ListState {
  readonly paused = signal(false)
  /** Whether a delivery is shown beside the list. */
  readonly hasPanel = signal(false)
  readonly selected: Signal<ReadonlySet<number>> = signal(new Set())
  readonly #list: LiveList
  /** The row whose checkbox changed last: the start of a range. */
  #start: number | undefined

  constructor(list: LiveList) {
    this.#list = list
  }

  /** Decides again whether new rows may be inserted. */
  readonly update = (): void => {
    const rows = document.querySelector('.deliveries .rows')
    const isBusy = this.paused.value || this.hasPanel.value || this.selected.value.size > 0 || scrollY > atTheTop
    this.#list.held.value =
      isBusy || this.#list.waiting.value.length > 0 || Boolean(rows?.contains(document.activeElement))
  }

  /** @param isRange Also changes the rows between this row and the one that was changed before. */
  select(id: number, on: boolean, isRange = false): void {
    const selected = new Set(this.selected.value)
    for (const one of isRange ? this.#rangeTo(id) : [id]) {
      if (on) selected.add(one)
      else selected.delete(one)
    }
    this.#start = id
    this.selected.value = selected
  }

  #rangeTo(id: number): number[] {
    const ids = this.#list.rows.value.map((row) => row.id)
    const [start, end] = [ids.indexOf(this.#start ?? id), ids.indexOf(id)]
    return start < 0 ? [id] : ids.slice(Math.min(start, end), Math.max(start, end) + 1)
  }

  selectAll(on: boolean): void {
    this.selected.value = new Set(on ? this.#list.rows.value.map(({ id }) => id) : [])
  }

  /** Deselects the rows that have left the page: the operator does not see that they hold the list. */
  readonly deselectAbsent = (): void => {
    const shown = new Set(this.#list.rows.value.map(({ id }) => id))
    const { value: selected } = this.selected
    if (!selected.isSubsetOf(shown)) this.selected.value = selected.intersection(shown)
  }

  /** Inserts the new rows and scrolls to them. */
  admit(): void {
    this.#list.admit()
    scrollTo({ top: 0 })
  }
}

export function useListState(list: LiveList): ListState {
  const reading = useMemo(() => new ListState(list), [list])
  useLayoutEffect(() => {
    const stop = [reading.paused, reading.hasPanel, reading.selected, list.waiting].map((signal) =>
      signal.subscribe(reading.update),
    )
    stop.push(list.rows.subscribe(reading.deselectAbsent))
    const events = ['scroll', 'focusin', 'focusout'] as const
    for (const event of events) addEventListener(event, reading.update, { passive: true })
    return () => {
      for (const one of stop) one()
      for (const event of events) removeEventListener(event, reading.update)
    }
  }, [reading])
  return reading
}
