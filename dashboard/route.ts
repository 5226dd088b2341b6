/**
 * Where one is, in the fragment of the address: `#/deliveries?q=state:dead`. A fragment works under whatever path a proxy
 * serves the page, and is sent to nobody, so that what is searched for in payloads is in no proxy's log.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals'

export interface Route {
  /** `['deliveries', '42']` */
  path: readonly string[]
  /** What stands behind the question mark. */
  search: Readonly<Record<string, string>>
}

const fragment = signal(location.hash)

addEventListener('hashchange', () => {
  fragment.value = location.hash
})

export const route: ReadonlySignal<Route> = computed(() => routeIn(fragment.value))

/** A fragment that means nothing here leads to the list. */
export function routeIn(text: string): Route {
  const [path = '', search = ''] = /^#\//.test(text) ? split(text.slice(2)) : []
  const parts = path.split('/').filter((part) => part !== '')
  return { path: parts.length > 0 ? parts : ['deliveries'], search: Object.fromEntries(new URLSearchParams(search)) }
}

const split = (text: string): [string, string] => {
  const mark = text.indexOf('?')
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)]
}

/** The address of a place; what is empty is left out. */
export function linkTo(path: string, search: Readonly<Record<string, string | number | undefined>> = {}): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '')
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `#/${path}${query === '' ? '' : `?${query}`}`
}

/** Goes there. @param replace Whether the place one leaves is forgotten. */
export function go(link: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', link)
  else history.pushState(null, '', link)
  fragment.value = location.hash
}
