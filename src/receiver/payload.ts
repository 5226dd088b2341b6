import type { DeliveryPayload, ParsedPayload } from '../delivery.ts'
import { HookError } from '../errors.ts'
import { type HeaderSource, headerOf } from '../http.ts'
import type { PayloadParser } from '../options.ts'
import { digitsIn, isObject, isRoundedIn, type Json, keepDigits, objectIn, textIn } from '../runtime/json.ts'
import { decodeField, encodedField } from '../runtime/untrusted-text.ts'

export type PayloadForm = 'json' | 'form'

const forms = new Map<string, PayloadForm>([
  ['application/json', 'json'],
  ['application/x-www-form-urlencoded', 'form'],
])

/** Which of GitHub's two content types a request has; `undefined` for any other type, and for an encoded body. */
export function payloadForm(request: HeaderSource): PayloadForm | undefined {
  const coding = headerOf(request, 'content-encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return undefined // GitHub compresses nothing
  const type = headerOf(request, 'content-type') ?? ''
  return forms.get(type) ?? forms.get(type.split(';', 1)[0]?.trim().toLowerCase() ?? '')
}

/** The headers that every delivery must have. */
interface RequiredHeaders {
  event: string
  guid: string
  form: PayloadForm
}

/**
 * Maximum characters of an event and of a GUID. GitHub does not sign them and documents no limit. Its longest event has
 * 31 characters, and its GUIDs have 36. PostgreSQL cannot store a row if an entry of an index exceeds 2,704 bytes.
 */
const maxHeaderLength = 100

/**
 * @param form The `payloadForm` of the request.
 * @throws {HookError} `missing_event`, `missing_delivery`, `header_too_long`, `unsupported_media_type`
 */
export function readHeaders(request: HeaderSource, form: PayloadForm | undefined): RequiredHeaders {
  const event = headerOf(request, 'x-github-event')
  if (!event) throw new HookError('missing_event')
  const guid = headerOf(request, 'x-github-delivery')
  if (!guid) throw new HookError('missing_delivery')
  if (event.length > maxHeaderLength || guid.length > maxHeaderLength) throw new HookError('header_too_long')
  if (!form) throw new HookError('unsupported_media_type')
  return { event, guid, form }
}

/**
 * `Content-Length`, if the request has one. It does not count if there is also a `Transfer-Encoding` (RFC 9112, section
 * 6.3): workerd passes both on, with a body that ends where the transfer coding says.
 */
export function contentLength(request: HeaderSource): number | undefined {
  const text = headerOf(request, 'content-length')
  if (text === undefined || !/^\d+$/.test(text)) return undefined
  return headerOf(request, 'transfer-encoding') === undefined ? Number(text) : undefined
}

const decoder = new TextDecoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The JSON object in a body.
 * @param limit The maximum size in bytes of the JSON in a form.
 * @throws {HookError} `invalid_payload`, `payload_too_large`
 */
export function parseBody(body: Uint8Array, form: PayloadForm, limit: number): Json {
  return parseObject(decodePayload(body, form, limit))
}

/**
 * The JSON in a body, as text.
 * @param limit The maximum size in bytes of the JSON in a form.
 * @throws {HookError} `invalid_payload`, `payload_too_large`
 */
export function decodePayload(body: Uint8Array, form: PayloadForm, limit: number): string {
  try {
    const text = decodeUtf8(body)
    return form === 'json' ? text : formField(text, limit)
  } catch (cause) {
    throw cause instanceof HookError ? cause : new HookError('invalid_payload', { cause })
  }
}

/**
 * Decodes strictly only if the text has a U+FFFD, which replaces invalid bytes. Deno has a fast path for ASCII only
 * without `fatal`: for a delivery of 7 kB, the path saves 4 µs of 80. In Bun, Node.js and workerd, both take as long.
 * @throws {TypeError} if the bytes are not UTF-8.
 */
function decodeUtf8(bytes: Uint8Array): string {
  const text = decoder.decode(bytes)
  return text.includes('\uFFFD') ? strictDecoder.decode(bytes) : text
}

/** @throws {HookError} `invalid_payload` if the text is not the JSON of an object. */
function parseObject(json: string): Json {
  let payload: unknown
  try {
    payload = JSON.parse(json)
  } catch (cause) {
    throw new HookError('invalid_payload', { cause })
  }
  if (!isObject(payload)) throw new HookError('invalid_payload')
  return payload
}

/**
 * Parses the payload of a delivery. `forHandlers` parses the JSON again if the option `parsePayload` is set. So neither
 * matching nor the summary of a payload depends on the result of a user's function.
 * @param parse The option `parsePayload`.
 * @throws {HookError} `invalid_payload` if the text is not the JSON of an object.
 */
export function toPayload(json: string, parse: PayloadParser | undefined): ParsedPayload {
  const plain = parseObject(json)
  let payload: DeliveryPayload | undefined
  return { plain, forHandlers: () => (payload ??= toDeliveryPayload(plain, json, parse)) }
}

function toDeliveryPayload(plain: Json, json: string, parse: PayloadParser | undefined): DeliveryPayload {
  const isRounded = isRoundedIn(objectIn(plain, 'installation'), 'id')
  if (!parse && !isRounded) return { data: plain, members: plain }
  const { installation } = isRounded ? parseExactly(json) : plain
  // Only the members that a delivery describes, because the rest would take memory while handlers run.
  const members = {
    action: textIn(plain, 'action'),
    repository: { full_name: textIn(objectIn(plain, 'repository'), 'full_name') },
    sender: { login: textIn(objectIn(plain, 'sender'), 'login') },
    installation: { id: digitsIn(installation as Json | undefined, 'id') },
  }
  return { data: parse ? parseWith(parse, json) : plain, members }
}

/** @throws {HookError} `invalid_payload` if the runtime cannot parse the JSON without rounding. */
function parseExactly(json: string): Json {
  try {
    return JSON.parse(json, keepDigits)
  } catch (cause) {
    throw new HookError('invalid_payload', { cause })
  }
}

/** @throws {HookError} `invalid_payload` if the option `parsePayload` throws, or returns no object. */
function parseWith(parse: PayloadParser, json: string): Json {
  let payload: unknown
  try {
    payload = parse(json)
  } catch (cause) {
    throw new HookError('invalid_payload', { detail: 'Option "parsePayload" failed', cause })
  }
  if (isObject(payload) && !(payload instanceof Promise)) return payload
  if (payload instanceof Promise) payload.catch(() => undefined)
  throw new HookError('invalid_payload', {
    detail: 'Option "parsePayload" must return an object, not a list or a promise',
  })
}

/** The JSON in the field `payload` of a form. */
export function formField(form: string, limit: number = Number.POSITIVE_INFINITY): string {
  const encoded = encodedField(form, 'payload')
  if (encoded === undefined) throw new HookError('invalid_payload', { cause: 'the form has no field "payload"' })
  // An escape such as %22 has three characters and is one byte of the payload. Any other character is one byte too,
  // because a sender escapes all bytes outside ASCII.
  const escapes = encoded.length > limit ? countOf('%', encoded) : 0
  if (encoded.length - 2 * escapes > limit) throw new HookError('payload_too_large')
  return decodeField(encoded)
}

function countOf(character: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count++
  return count
}
