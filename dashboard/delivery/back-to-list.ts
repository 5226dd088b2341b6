import { effect } from '@preact/signals'
import { linkTo, routeIn } from '../address.ts'
import { go, route } from '../route.ts'

const isList = ({ path }: { path: readonly string[] }): boolean => path.length === 1 && path[0] === 'deliveries'

/** The list as it was last shown. */
let last = linkTo('deliveries')

effect(() => {
  if (isList(route.value)) last = linkTo('deliveries', route.value.search)
})

/** To the list as one left it: back, if that is where one came from. */
export function backToList(): void {
  if (isAfterList()) history.back()
  else go(last)
}

/** Whether the list is what this tab showed before. A browser that cannot say so may have shown anything. */
function isAfterList(): boolean {
  const { navigation } = globalThis as { navigation?: Navigation }
  const index = navigation?.currentEntry?.index ?? 0
  const before = navigation?.entries()[index - 1]?.url
  if (!before) return false
  const [page, fragment = ''] = before.split('#')
  return page === location.href.split('#')[0] && isList(routeIn(`#${fragment}`))
}
