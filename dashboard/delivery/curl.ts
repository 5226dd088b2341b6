import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'

/** Bytes of the largest body that is written into the command: Linux takes no argument of more than 128 KiB. */
export const mostInline = 100_000

export interface Copied {
  detail: Pick<DeliveryDetail, 'guid' | 'event' | 'hookId' | 'headers' | 'form' | 'id'>
  /** As the header has it: `sha256=…`. */
  signature: string
  /** Where to; `undefined` if the server that was asked does not receive. */
  url: string | undefined
  /** `undefined` where it is too large: then the command reads it from the file that the download makes. */
  body: Uint8Array | undefined
}

/** Where `hookserver serve` receives if nobody said otherwise. */
const usual = 'http://127.0.0.1:8000/hooks'

/** A command for bash that posts the same bytes again, whatever they are: nothing in them is run. */
export function curlCommand({ detail, signature, url = usual, body }: Copied): string {
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
  // `--data-binary @-` would read a file that a body names; `--data-raw` takes it as it is.
  if (!body) return { before: '', data: `--data-binary ${quoted(`@${fileName(detail)}`)}` }
  const text = plainText(body)
  if (text !== undefined) return { before: '', data: `--data-raw ${quoted(text)}` }
  return { before: `printf %s ${base64(body)} | base64 -d | `, data: '--data-binary @-' }
}

/** The name that the server gives the download. */
export function fileName({ guid, id, form }: Pick<DeliveryDetail, 'guid' | 'id' | 'form'>): string {
  const safe = guid.replace(/[^\w-]/g, '').slice(0, 64)
  return `${safe || id}.${form === 'json' ? 'json' : 'txt'}`
}

/**
 * A body that a terminal takes as it is. Marks that are not seen are not among them: a terminal may obey some that are
 * pasted, quotes or no quotes.
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

/** In single quotes nothing means anything but their end. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** A header, of which each character is a byte: other bytes than ASCII's are written as numbers. */
function quotedBytes(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return quoted(text)
  const numbered = (mark: string) => `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`
  return `$'${text.replace(/[^\x20-\x7e]|['\\]/g, numbered)}'`
}
