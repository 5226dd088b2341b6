/**
 * The route of the page is the fragment of its address: `#/deliveries?q=state:dead`. A fragment works under every path
 * at which a proxy serves the page, because browsers do not send it to the server.
 */
export interface Route {
  /** `['deliveries', '42']` */
  path: readonly string[]
  /** The parameters after the question mark. */
  search: Readonly<Record<string, string>>
}

/** The route in a fragment: the list if the fragment has no path. */
export function routeIn(text: string): Route {
  const [path = '', search = ''] = /^#\//.test(text) ? split(text.slice(2)) : []
  const parts = path.split('/').filter((part) => part !== '')
  return { path: parts.length > 0 ? parts : ['deliveries'], search: Object.fromEntries(new URLSearchParams(search)) }
}

const split = (text: string): [string, string] => {
  const mark = text.indexOf('?')
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)]
}

/** A link to a route. Empty parameters are left out. */
export function linkTo(path: string, search: Readonly<Record<string, string | number | undefined>> = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== '') query.set(name, String(value))
  }
  return `#/${path}${query.size === 0 ? '' : `?${query}`}`
}
