import { linkTo } from '../route.ts'

/** The list of the deliveries that are so: `{ handler: 'deploy', state: 'dead' }`. */
export function searchFor(conditions: Readonly<Record<string, string>>): string {
  const words = Object.entries(conditions).map(([name, value]) => `${name}:${held(value)}`)
  return linkTo('deliveries', { q: words.join(' ') })
}

/** Quotes hold words together; a search has no way to ask for a quote itself. */
const held = (value: string): string => (/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value)
