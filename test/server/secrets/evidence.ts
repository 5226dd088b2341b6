import { once } from 'node:events'
import { request } from 'node:http'
import type { TestRequest } from '../../../src/samples/signed-request.ts'
import { bodyOf } from '../answer-body.ts'
import { writingsOf, writingsOfDigest } from './writings.ts'

/** Headers whose values nobody may see again. */
const telling = ['authorization', 'cookie', 'x-hub-signature', 'x-hub-signature-256']

export interface Asked extends Partial<Omit<TestRequest, 'method'>> {
  method?: string
}

export interface Answered {
  status: number
  cookie: string
  text: string
}

/** What was said and kept by whom, and what must be nowhere in it. */
export class Evidence {
  readonly #secrets = new Map<string, Buffer[]>()
  readonly #kept: [where: string, bytes: Buffer][] = []

  /** @param name What to call it, should it be found. */
  secret(name: string, text: string): void {
    this.#secrets.set(name, writingsOf(text))
  }

  keep(where: string, what: string | Uint8Array): void {
    this.#kept.push([where, Buffer.from(what)])
  }

  /** Asks, and keeps the answer, but for the cookie that a login sets. What was shown to get in becomes a secret. */
  async ask(url: string, { method = 'GET', headers = {}, body = '' }: Asked = {}): Promise<Answered> {
    for (const name of telling) if (headers[name]) this.#sent(name, headers[name])
    const asked = request(url, { method, headers, agent: false })
    asked.on('error', () => undefined) // of a server that refuses without having read all
    if (Number(headers['content-length']) > body.length) asked.flushHeaders()
    else asked.end(body)
    const [response] = await once(asked, 'response')
    const bytes = await bodyOf(response, method)
    asked.destroy()
    const { 'set-cookie': cookies = [], ...shown } = response.headers
    this.keep(`the answer to ${method} ${new URL(url).pathname}`, `${JSON.stringify(shown)}\n${bytes}`)
    return { status: response.statusCode, cookie: cookies[0]?.split(';', 1)[0] ?? '', text: bytes.toString() }
  }

  /** What was found, and where. */
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
