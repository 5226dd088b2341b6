/**
 * The addresses that proxies wrote down, nearest last. An entry that shows no address (`unknown`, `_hidden`,
 * garbage) stays in its place, since leaving it out would move the others one hop nearer.
 */
export function forwardedAddresses(header: 'x-forwarded-for' | 'forwarded', value: string): string[] {
  const entries = header === 'forwarded' ? forParameters(value) : value.split(',')
  return entries.map(bareAddress)
}

/** `name=value` or `name="value"`, and what ends it. */
const parameter = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([^\s",;]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/y

/**
 * The `for` of each element of `Forwarded` (RFC 7239, section 4): `for="[2001:db8::1]:4711";proto=https, for=…`.
 * A sender has a say in what stands between quotes, and could open a quote that swallows what a proxy appends: so a
 * header that breaks the grammar anywhere shows one entry, and no address.
 */
function forParameters(value: string): string[] {
  const entries = ['']
  parameter.lastIndex = 0
  let end: string | undefined = ','
  while (end !== '') {
    const [, name, plain, quoted, separator] = parameter.exec(value) ?? []
    if (name === undefined) return ['']
    if (name.toLowerCase() === 'for') entries[entries.length - 1] = plain ?? quoted?.replace(/\\(.)/g, '$1') ?? ''
    if (separator === ',') entries.push('')
    end = separator
  }
  return entries
}

/** Without the port and the brackets that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function bareAddress(text: string): string {
  const trimmed = text.trim()
  const [, bracketed, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(trimmed) ?? []
  return bracketed ?? v4 ?? trimmed
}
