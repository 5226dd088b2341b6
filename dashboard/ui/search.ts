import { linkTo } from '../address.ts'

/** The list of the deliveries that are so: `{ handler: 'deploy', state: 'dead' }`. */
export function searchFor(conditions: Readonly<Record<string, string>>): string {
  const words = Object.entries(conditions).map(([name, value]) => conditionOf(name, value))
  return linkTo('deliveries', { q: words.join(' ') })
}

/** `name:value`, as a search takes it. Quotes hold words together; a search has no way to ask for a quote itself. */
export function conditionOf(name: string, value: string): string {
  const sayable = value.replaceAll('"', '').replaceAll(/\s+/g, ' ')
  return `${name}:${/\s/.test(sayable) ? `"${sayable}"` : sayable}`
}
