import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { type Route, routeIn } from './address.ts'

const fragment = signal(location.hash)

addEventListener('hashchange', () => {
  fragment.value = location.hash
})

/** The current route. */
export const route: ReadonlySignal<Route> = computed(() => routeIn(fragment.value))

/** Navigates to a link. @param replace Whether to replace the current entry of the history. */
export function go(link: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', link)
  else history.pushState(null, '', link)
  fragment.value = location.hash
}
