import type { HookRequest } from './http.ts'

/** Headers that describe the original request, its bytes or its sender. */
const headersNotCopied = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection', 'expect'],
  ...['x-hub-signature', 'x-hub-signature-256', 'authorization', 'proxy-authorization', 'cookie'],
])

/** The headers of a delivery that did not arrive as an HTTP request, or that an operator creates. */
export function createdHeaders(original: HookRequest['headers'], event: string, guid: string): HookRequest['headers'] {
  const copied = Object.entries(original)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !headersNotCopied.has(name))
  return {
    ...Object.fromEntries(copied),
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': guid,
  }
}
