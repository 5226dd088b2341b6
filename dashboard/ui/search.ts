import { linkTo } from '../address.ts'

/** The list of the deliveries with these properties: `{ handler: 'deploy', state: 'dead' }`. */
export function searchFor(conditions: Readonly<Record<string, string>>): string {
  const words = Object.entries(conditions).map(([name, value]) => conditionOf(name, value))
  return linkTo('deliveries', { q: words.join(' ') })
}

/** `name:value`, as in a search, which cannot express a quote. Quotes hold words together. */
export function conditionOf(name: string, value: string): string {
  const sayable = value.replaceAll('"', '').replaceAll(/\s+/g, ' ')
  return `${name}:${/\s/.test(sayable) ? `"${sayable}"` : sayable}`
}
