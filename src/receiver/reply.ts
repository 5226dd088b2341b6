import { type HookReply, isResponse } from '../http.ts'

/** The reply if no hook returned anything. */
export const noContent = (): HookReply => ({ status: 204, headers: {}, body: null })

/**
 * The reply for the return value of a hook: a string as text, a `Response` unchanged, anything else as JSON.
 * @throws {TypeError} for a value that cannot be sent.
 */
export function replyOf(returned: unknown): HookReply {
  if (typeof returned === 'string') return textReply(returned)
  if (isResponse(returned)) {
    if (returned.bodyUsed || returned.body?.locked) {
      throw new TypeError('The Response that a hook returned was read already')
    }
    if (returned.status < 200) throw new TypeError(`A hook returned a Response with status ${returned.status}`)
    return returned
  }
  const body: string | undefined = JSON.stringify(returned)
  if (body === undefined) throw new TypeError(`A hook returned a ${typeof returned}, which JSON does not have`)
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

/** Plain text, so that a browser never renders text from a payload as a page. */
export function textReply(text: string, status = 200): HookReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text }
}
