import { HookError } from '../errors.ts'
import { type HookReply, isResponse } from '../http.ts'

/**
 * What a hook returned, as a reply: text as text, a `Response` as it is, nothing as 204, all else as JSON.
 * @throws {HookError} `handler_failed` for what cannot be sent.
 */
export function replyOf(returned: unknown): HookReply {
  if (returned === undefined || returned === null) return { status: 204, headers: {}, body: null }
  if (typeof returned === 'string') return textReply(returned)
  if (isResponse(returned)) {
    if (returned.bodyUsed)
      throw new HookError('handler_failed', { cause: new TypeError('The Response was read already') })
    return returned
  }
  return jsonReply(returned)
}

/** Plain text, so that nothing that a payload carried into it becomes a page. */
export function textReply(text: string): HookReply {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text }
}

function jsonReply(value: unknown): HookReply {
  let body: string | undefined
  try {
    body = JSON.stringify(value)
  } catch (cause) {
    throw new HookError('handler_failed', { cause })
  }
  if (body === undefined)
    throw new HookError('handler_failed', { cause: new TypeError(`A hook returned a ${typeof value}`) })
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}
