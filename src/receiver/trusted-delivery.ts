import { createdHeaders, type HookRequest } from '../http.ts'
import { fail, isString } from '../runtime/check-options.ts'
import { isObject, isPlainObject } from '../runtime/json.ts'

/** A delivery for `hooks.receive()`, which the caller has verified or got from a source that it trusts. */
export interface TrustedDelivery {
  /** The name of the event without the action, such as `issues`: GitHub's `X-GitHub-Event`. */
  event: string
  /** GitHub's `X-GitHub-Delivery`. All copies of a delivery must have the same GUID. */
  guid: string
  /**
   * The payload as a plain object, or as JSON text or its bytes, which are kept as they are. `then` makes a promise,
   * such as that of a forgotten `await`, a compile error.
   */
  payload: string | Uint8Array | Record<string, unknown> | (object & { then?: never })
  /**
   * GitHub's other headers, if you have them. `X-GitHub-Hook-ID` is part of the identity of a delivery. Signatures,
   * credentials and cookies are left out.
   */
  headers?: Readonly<Record<string, string | undefined>> | undefined
}

/** The request for a receiver that checks neither signature nor origin. @throws {TypeError} naming the argument. */
export function requestFor(delivery: TrustedDelivery): HookRequest {
  const { event, guid, payload, headers = {} } = checked(delivery)
  const bytes = isBytes(payload) ? payload : new TextEncoder().encode(isString(payload) ? payload : toJson(payload))
  return {
    method: 'POST',
    path: undefined,
    headers: createdHeaders(headers, event, guid),
    address: undefined,
    native: [delivery],
    body: () => ({ bytes }),
  }
}

/** By its tag, because a `Buffer` of another realm, as in Jest, is not an instance of this realm's `Uint8Array`. */
const isBytes = (value: unknown): value is Uint8Array => Object.prototype.toString.call(value) === '[object Uint8Array]'

const nameOf = (member: keyof TrustedDelivery): string => `hooks.receive(): "${member}"`

function checked(delivery: TrustedDelivery): TrustedDelivery {
  if (!isObject(delivery)) fail('hooks.receive(): the delivery', 'an object { event, guid, payload }', delivery)
  const { event, guid, payload, headers } = delivery
  if (!isString(event) || !/^[^\s.*]+$/.test(event)) {
    fail(nameOf('event'), 'the name of an event without its action, such as "issues"', event)
  }
  if (!isString(guid) || guid === '') fail(nameOf('guid'), 'a string that is not empty', guid)
  if (!isString(payload) && !isBytes(payload) && !isPlainObject(payload)) {
    fail(nameOf('payload'), 'a plain object, JSON text, or a Uint8Array with JSON text', payload)
  }
  if (headers !== undefined && !isObject(headers)) fail(nameOf('headers'), 'an object', headers)
  return delivery
}

/** @throws {TypeError} for an object with a cycle or a BigInt. */
function toJson(payload: object): string {
  try {
    return JSON.stringify(payload)
  } catch (cause) {
    throw new TypeError(`${nameOf('payload')} cannot be written as JSON`, { cause })
  }
}
