import { linkTo } from '../address.ts'

/** A link to the list of the deliveries with these properties: `{ handler: 'deploy', state: 'dead' }`. */
export function searchFor(conditions: Readonly<Record<string, string>>): string {
  const words = Object.entries(conditions).map(([name, value]) => conditionOf(name, value))
  return linkTo('deliveries', { q: words.join(' ') })
}

/** `name:value`, or `name:"two words"`. A search cannot contain a quote, so quotes in the value are left out. */
export function conditionOf(name: string, value: string): string {
  const sayable = value.replaceAll('"', '').replaceAll(/\s+/g, ' ')
  return `${name}:${quoted(sayable)}`
}

/**
 * A value in quotes, if a search needs them: for white space, for a comma or a `*` that is part of the value, and for
 * digits before a slash, which the search would read as the port of an address.
 */
export const quoted = (value: string): string => (/[\s,*]|^\d+\//.test(value) ? `"${value}"` : value)
