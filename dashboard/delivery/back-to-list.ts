import { effect } from '@preact/signals'
import { linkTo, routeIn } from '../address.ts'
import { go, route } from '../route.ts'

const isList = ({ path }: { path: readonly string[] }): boolean => path.length === 1 && path[0] === 'deliveries'

/** A link to the list as it was last shown. */
let last = linkTo('deliveries')

effect(() => {
  if (isList(route.value)) last = linkTo('deliveries', route.value.search)
})

/** Returns to the list. Goes back in the history if the list is the previous entry. */
export function backToList(): void {
  if (isAfterList()) history.back()
  else go(last)
}

/** Whether the previous entry in this tab's history is the list. False in browsers without the Navigation API. */
function isAfterList(): boolean {
  const { navigation } = globalThis as { navigation?: Navigation }
  const index = navigation?.currentEntry?.index ?? 0
  const before = navigation?.entries()[index - 1]?.url
  if (!before) return false
  const [page, fragment = ''] = before.split('#')
  return page === location.href.split('#')[0] && isList(routeIn(`#${fragment}`))
}
