import { linkTo } from '../address.ts'

/** A link to the list of the deliveries with these properties: `{ handler: 'deploy', state: 'dead' }`. */
export function searchFor(conditions: Readonly<Record<string, string>>): string {
  const words = Object.entries(conditions).map(([name, value]) => conditionOf(name, value))
  return linkTo('deliveries', { q: words.join(' ') })
}

/**
 * `name:value`, or `name:"two words"`. Quotes also keep a comma or a `*` from separating values or being a wildcard. A
 * search cannot contain a quote, so quotes in the value are left out.
 */
export function conditionOf(name: string, value: string): string {
  const sayable = value.replaceAll('"', '').replaceAll(/\s+/g, ' ')
  return `${name}:${/[\s,*]/.test(sayable) ? `"${sayable}"` : sayable}`
}
