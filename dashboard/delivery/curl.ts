import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'

/** Maximum bytes of a body in the command. Linux limits an argument to 128 KiB, and quoting makes the body longer. */
export const maxInline = 100_000

export interface Copied {
  detail: Pick<DeliveryDetail, 'guid' | 'event' | 'hookId' | 'headers' | 'form' | 'id'>
  /** The value of the header `X-Hub-Signature-256`: `sha256=…`. */
  signature: string
  /** The URL of the receiver. `undefined` if the server receives nothing. */
  url: string | undefined
  /** `undefined` if the body is too large: then the command reads the body from the downloaded file. */
  body: Uint8Array | undefined
}

/** Default address of `hookserver serve`. */
const defaultUrl = 'http://127.0.0.1:8000/hooks'

/** A bash command that sends the same bytes again. It is quoted so that bash runs no part of the body. */
export function curlCommand({ detail, signature, url = defaultUrl, body }: Copied): string {
  const type = detail.form === 'json' ? 'application/json' : 'application/x-www-form-urlencoded'
  const headers = [
    ['X-GitHub-Event', detail.event],
    ['X-GitHub-Delivery', detail.guid],
    ['X-GitHub-Hook-ID', detail.hookId],
    ['Content-Type', detail.headers['content-type'] ?? type],
    ['X-Hub-Signature-256', signature],
  ].filter(([, value]) => value !== '')
  const { before, data } = dataOf(body, detail)
  const lines = [
    `${before}curl ${quoted(url)}`,
    ...headers.map(([name, value]) => `-H ${quotedBytes(`${name}: ${value}`)}`),
    data,
  ]
  return `${lines.join(' \\\n  ')}\n`
}

function dataOf(body: Uint8Array | undefined, detail: Copied['detail']): { before: string; data: string } {
  // curl reads a file if the data begins with `@`, except with `--data-raw`.
  if (!body) return { before: '', data: `--data-binary ${quoted(`@${fileName(detail)}`)}` }
  const text = plainText(body)
  if (text !== undefined) return { before: '', data: `--data-raw ${quoted(text)}` }
  return { before: `printf %s ${base64(body)} | base64 -d | `, data: '--data-binary @-' }
}

/** The name that the server gives to the download. */
export function fileName({ guid, id, form }: Pick<DeliveryDetail, 'guid' | 'id' | 'form'>): string {
  const safe = guid.replace(/[^\w-]/g, '').slice(0, 64)
  return `${safe || id}.${form === 'json' ? 'json' : 'txt'}`
}

/**
 * The body as text, to paste into a terminal. `undefined` if the body is not UTF-8, or has invisible characters,
 * because a terminal may interpret such characters, even in quotes.
 */
function plainText(body: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    return /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

const base64 = (body: Uint8Array): string => btoa(Array.from(body, (byte) => String.fromCharCode(byte)).join(''))

/** In single quotes bash interprets only the closing quote. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Each character of a header is a byte. Bytes other than printable ASCII are escaped. */
function quotedBytes(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return quoted(text)
  const numbered = (mark: string) => `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`
  return `$'${text.replace(/[^\x20-\x7e]|['\\]/g, numbered)}'`
}
