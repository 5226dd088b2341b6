import { type HookReply, isResponse } from '../http.ts'

/** The reply where no hook returned anything. */
export const noContent = (): HookReply => ({ status: 204, headers: {}, body: null })

/**
 * What a hook returned, as a reply: text as text, a `Response` as it is, all else as JSON.
 * @throws {TypeError} for what cannot be sent.
 */
export function replyOf(returned: unknown): HookReply {
  if (typeof returned === 'string') return textReply(returned)
  if (isResponse(returned)) {
    if (returned.bodyUsed || returned.body?.locked)
      throw new TypeError('The Response that a hook returned was read already')
    if (returned.status < 200) throw new TypeError(`A hook returned a Response with status ${returned.status}`)
    return returned
  }
  const body: string | undefined = JSON.stringify(returned)
  if (body === undefined) throw new TypeError(`A hook returned a ${typeof returned}, which JSON does not have`)
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

/** Plain text, so that nothing that a payload carried into it becomes a page. */
export function textReply(text: string, status = 200): HookReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text }
}
