import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LocalGitHubOptions {
  /** What `/meta` lists under `hooks`. Default: GitHub's documented ranges of the time of writing. */
  hooks?: readonly string[]
  /** The one token that is right. Default: none is. */
  token?: string
  /** Requests an hour without a token, and with one. Default: 60 and 5000, as GitHub's. */
  limits?: { anonymous: number; authorized: number }
}

/** A request that came. */
export interface LocalGitHubRequest {
  method: string
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** What it was answered; 0 for one that was left hanging or cut. */
  status: number
}

/** What to do in place of an answer: a status with headers, silence, or a cut connection. */
export type Failure = { status: number; headers?: Record<string, string>; body?: unknown } | 'hang' | 'cut'

const documented = [
  '192.30.252.0/22',
  '185.199.108.0/22',
  '140.82.112.0/20',
  '143.55.64.0/20',
  '2a0a:a440::/29',
  '2606:50c0::/32',
]

/**
 * A GitHub on this machine: `/meta` with ETag, tokens, rate limits, and failures on request.
 *
 * ```ts
 * const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
 * const hooks = new Hooks({ secret, apiUrl: github.url })
 * await github.close()
 * ```
 */
export class LocalGitHub {
  /** All that came so far. */
  readonly requests: LocalGitHubRequest[] = []
  /** What `/meta` lists; its ETag changes with it. */
  hooks: readonly string[]
  /** Requests that are left until `resetAt`, by whether they have the token. */
  readonly remaining: { anonymous: number; authorized: number }
  /** When the limits begin anew, in milliseconds since 1970. */
  resetAt: number = Date.now() + 3_600_000
  readonly #token: string | undefined
  readonly #limits: { anonymous: number; authorized: number }
  readonly #failures: Failure[] = []
  readonly #server: Server

  private constructor(options: LocalGitHubOptions) {
    this.hooks = options.hooks ?? documented
    this.#token = options.token
    this.#limits = options.limits ?? { anonymous: 60, authorized: 5000 }
    this.remaining = { ...this.#limits }
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  /** Starts one on a free port of the loopback interface. */
  static async start(options: LocalGitHubOptions = {}): Promise<LocalGitHub> {
    const github = new LocalGitHub(options)
    github.#server.listen(0, '127.0.0.1')
    await once(github.#server, 'listening')
    return github
  }

  /** The option `apiUrl` for it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Fails the next requests, one for each failure given. */
  fail(...failures: Failure[]): void {
    this.#failures.push(...failures)
  }

  /** Stops it, and cuts what is left hanging. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const entry = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, status: 0 }
    this.requests.push(entry)
    const failure = this.#failures.shift()
    if (failure === 'hang') return
    if (failure === 'cut') return void request.socket.destroy()
    const { status, headers = {}, body } = failure ?? this.#serve(request)
    entry.status = status
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }

  #serve(request: IncomingMessage): { status: number; headers?: Record<string, string>; body?: unknown } {
    const { authorization, 'if-none-match': known } = request.headers
    const authorized = authorization !== undefined
    if (authorized && authorization !== `Bearer ${this.#token}`)
      return { status: 401, body: { message: 'Bad credentials' } }
    if (request.method !== 'GET' || request.url !== '/meta') return { status: 404, body: { message: 'Not Found' } }
    const who = authorized ? 'authorized' : 'anonymous'
    const etag = `W/"${createHash('sha256').update(this.hooks.join()).digest('hex')}"`
    const unchanged = known === etag
    if (!(unchanged && authorized)) {
      if (this.remaining[who] === 0)
        return { status: 403, headers: this.#limitHeaders(who), body: { message: 'API rate limit exceeded' } }
      this.remaining[who]--
    }
    const headers = { etag, ...this.#limitHeaders(who) }
    return unchanged ? { status: 304, headers } : { status: 200, headers, body: { hooks: this.hooks } }
  }

  #limitHeaders(who: 'anonymous' | 'authorized'): Record<string, string> {
    return {
      'x-ratelimit-limit': String(this.#limits[who]),
      'x-ratelimit-remaining': String(this.remaining[who]),
      'x-ratelimit-reset': String(Math.floor(this.resetAt / 1000)),
    }
  }
}
