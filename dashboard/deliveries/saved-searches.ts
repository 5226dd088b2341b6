import type { Signal } from '@preact/signals'
import { kept } from '../ui/preferences.ts'

interface SavedSearch {
  name: string
  /** The text of the search box. */
  text: string
}

/** The searches that the operator has named, in alphabetical order. Only this browser knows them. */
export const savedSearches: Signal<readonly SavedSearch[]> = kept('searches', [])

/** Saves a search, and replaces one with the same name. */
export function saveSearch(saved: SavedSearch): void {
  const others = savedSearches.value.filter(({ name }) => name !== saved.name)
  savedSearches.value = [...others, saved].sort((a, b) => a.name.localeCompare(b.name))
}

export function deleteSearch(name: string): void {
  savedSearches.value = savedSearches.value.filter((saved) => saved.name !== name)
}
