/**
 * The addresses that proxies wrote down, nearest last. An entry that shows no address (`unknown`, `_hidden`,
 * garbage) stays in its place, since leaving it out would move the others one hop nearer.
 */
export function forwardedAddresses(header: 'x-forwarded-for' | 'forwarded', value: string): string[] {
  const entries = value.split(',')
  return entries.map((entry) => bareAddress(header === 'forwarded' ? forParameter(entry) : entry))
}

/** The `for` of one element of `Forwarded` (RFC 7239, section 4): `for="[2001:db8::1]:4711";proto=https`. */
function forParameter(element: string): string {
  for (const pair of element.split(';')) {
    const [name = '', value = ''] = pair.split('=', 2)
    if (name.trim().toLowerCase() === 'for') return value.trim().replace(/^"(.*)"$/, '$1')
  }
  return ''
}

/** Without the port and the brackets that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function bareAddress(text: string): string {
  const trimmed = text.trim()
  const [, bracketed, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(trimmed) ?? []
  return bracketed ?? v4 ?? trimmed
}
