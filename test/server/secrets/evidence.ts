import { once } from 'node:events'
import { request } from 'node:http'
import type { TestRequest } from '../../../src/samples/signed-request.ts'
import { bodyOf } from '../administered.ts'

/** Headers of requests. The server must not show their values. */
const telling = ['authorization', 'cookie', 'x-hub-signature', 'x-hub-signature-256']

export interface SentRequest extends Partial<Omit<TestRequest, 'method'>> {
  method?: string
}

export interface Answered {
  status: number
  cookie: string
  text: string
}

/** Collects the output of a server, and the secrets that must not occur in it. */
export class Evidence {
  readonly #secrets = new Map<string, Buffer[]>()
  readonly #kept: [where: string, bytes: Buffer][] = []

  /** @param name Names the secret if it is found. */
  secret(name: string, text: string): void {
    this.#secrets.set(name, writingsOf(text))
  }

  keep(where: string, what: string | Uint8Array): void {
    this.#kept.push([where, Buffer.from(what)])
  }

  /** Sends a request and keeps the response, except a login's cookie. Adds the request's credentials to the secrets. */
  async ask(url: string, { method = 'GET', headers = {}, body = '' }: SentRequest = {}): Promise<Answered> {
    for (const name of telling) if (headers[name]) this.#sent(name, headers[name])
    const asked = request(url, { method, headers, agent: false })
    asked.on('error', () => undefined) // the server may reject the request before it has read all of it
    if (Number(headers['content-length']) > body.length) asked.flushHeaders()
    else asked.end(body)
    const [response] = await once(asked, 'response')
    const bytes = await bodyOf(response, method)
    asked.destroy()
    const { 'set-cookie': cookies = [], ...shown } = response.headers
    this.keep(`the answer to ${method} ${new URL(url).pathname}`, `${JSON.stringify(shown)}\n${bytes}`)
    return { status: response.statusCode, cookie: cookies[0]?.split(';', 1)[0] ?? '', text: bytes.toString() }
  }

  /** The secrets that were found, and where. */
  findings(): string[] {
    return this.#kept.flatMap(([where, bytes]) =>
      [...this.#secrets].flatMap(([name, writings]) =>
        writings.some((one) => bytes.includes(one)) ? [`${name} in ${where}`] : [],
      ),
    )
  }

  #sent(header: string, value: string): void {
    const proof = value.replace(/^(Bearer |Basic |sha\d+=|[\w-]+=)/, '')
    const isDigest = header.startsWith('x-hub') && /^([\da-f]{2}){8,}$/.test(proof)
    this.#secrets.set(`${header} ${value}`, isDigest ? writingsOfDigest(proof) : writingsOf(proof))
  }
}

/** All encodings of a secret, as bytes to search for. */
export function writingsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const texts = [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ '': text }).toString().slice(1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64Of(bytes),
  ]
  return [...new Set(texts)].map((one) => Buffer.from(one))
}

/** The encodings of a signature: of its hexadecimal digits, and of its bytes. */
export function writingsOfDigest(hex: string): Buffer[] {
  const bytes = Buffer.from(hex, 'hex')
  return [...writingsOf(hex), bytes, ...base64Of(bytes).map((text) => Buffer.from(text))]
}

/**
 * The base64 and base64url texts that these bytes can have inside a longer input: one pair for each offset modulo 3.
 * Characters that also encode bits of neighboring bytes are omitted.
 */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const text = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
