import { isHostedApi } from './addresses.ts'
import type { RequestError, Requester } from './requester.ts'

/** One attempt of GitHub to deliver an event, as its log lists it. */
export interface LoggedAttempt {
  id: number
  guid: string
  /** The start of the attempt, in milliseconds since 1970. */
  deliveredAt: number
  event: string
  action: string | undefined
  /** The result as GitHub's page shows it: `OK`, `timed out`, … */
  status: string
  /** The receiver's HTTP status, or a status that GitHub sets if the receiver did not answer. */
  statusCode: number
  /** Whether the receiver answered with 2xx. */
  ok: boolean
  /** Whether this attempt is a redelivery, and not GitHub's first attempt. */
  redelivery: boolean
}

/** The request that GitHub sent. GitHub's API shows the parsed payload, not the signed bytes. */
export interface SentRequest {
  headers: Readonly<Record<string, string>>
  payload: object
}

/** The request of an attempt, and the receiver's answer. */
export interface Exchange {
  request: SentRequest
  /** `payload` is the body. */
  response: { headers: Readonly<Record<string, string>>; payload: string }
}

/** An entry of the delivery log, as GitHub's API returns it. */
interface LogEntry {
  id: number
  guid: string
  delivered_at: string
  redelivery: boolean
  status: string
  status_code: number
  event: string
  action: string | null
}

/** Entries in a page: the most that GitHub allows. */
const pageSize = 100

/**
 * How long an attempt may be missing from the log, in milliseconds from the start of the attempt. GitHub lists an
 * attempt only when the attempt has ended, so it may appear after attempts that began later.
 */
export const settlingTime: number = 5 * 60_000

/** GitHub's log of its deliveries to one webhook. */
export class DeliveryLog {
  readonly #github: Requester
  readonly #path: string
  #firstPageEtag: string | undefined

  /** @param path Such as `/repos/acme/shop/hooks/1/deliveries`. */
  constructor(github: Requester, path: string) {
    this.#github = github
    this.#path = path
  }

  /**
   * Pages of attempts, newest first, down to a time in milliseconds since 1970.
   * @param options `ifChanged`: yields nothing if the first page has not changed since the previous read. GitHub then
   *   answers 304, which does not count against the rate limit.
   */
  async *since(from: number, { ifChanged = false }: { ifChanged?: boolean } = {}): AsyncGenerator<LoggedAttempt[]> {
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await this.#page(cursor, ifChanged)
      if (!page) return
      const { headers, data } = page
      const attempts = (data as LogEntry[]).map(attemptOf)
      yield attempts.filter(({ deliveredAt }) => deliveredAt >= from)
      cursor = attempts.every(({ deliveredAt }) => deliveredAt >= from) ? nextCursor(headers.link) : undefined
    }
  }

  async #page(cursor: string | undefined, ifChanged: boolean) {
    const etag = ifChanged && cursor === undefined ? this.#firstPageEtag : undefined
    const headers = etag === undefined ? {} : { 'if-none-match': etag }
    try {
      const page = await this.#github.request(`GET ${this.#path}`, { per_page: pageSize, cursor, headers })
      if (cursor === undefined) this.#firstPageEtag = page.headers.etag?.toString()
      return page
    } catch (error) {
      if ((error as RequestError).status === 304) return undefined
      throw error
    }
  }

  /** The first page of the log: the newest attempts. */
  async newest(): Promise<LoggedAttempt[]> {
    for await (const page of this.since(0)) return page
    return []
  }

  async read(id: number): Promise<SentRequest> {
    return (await this.readExchange(id)).request
  }

  async readExchange(id: number): Promise<Exchange> {
    const { data } = await this.#github.request(`GET ${this.#path}/${id}`)
    const { request, response } = data as { request: Partial<SentRequest>; response?: Partial<Exchange['response']> }
    const { payload: text } = response ?? {}
    return {
      request: { headers: request.headers ?? {}, payload: request.payload ?? {} },
      response: { headers: response?.headers ?? {}, payload: typeof text === 'string' ? text : '' },
    }
  }

  /** Has GitHub send the delivery again, signed, to the address of the webhook. */
  async redeliver(id: number): Promise<void> {
    await this.#github.request(`POST ${this.#path}/${id}/attempts`)
  }
}

function attemptOf({ delivered_at, action, status_code, ...entry }: LogEntry): LoggedAttempt {
  const { id, guid, event, status, redelivery } = entry
  const ok = status_code >= 200 && status_code < 300
  const deliveredAt = Date.parse(delivered_at)
  return { id, guid, deliveredAt, event, action: action ?? undefined, status, statusCode: status_code, ok, redelivery }
}

/** The cursor of the page of older deliveries, from a `Link` header (RFC 8288). */
function nextCursor(link: string | number | undefined): string | undefined {
  const next = String(link ?? '')
    .split(',')
    .find((one) => /;\s*rel="next"/.test(one))
  const url = next && /<([^>]+)>/.exec(next)?.[1]
  return (url && URL.parse(url)?.searchParams.get('cursor')) || undefined
}

const day = 86_400_000

/** Milliseconds for which GitHub keeps deliveries: 3 days, and 7 on an Enterprise Server. */
export const deliveryRetention = (apiUrl: string): number => (isHostedApi(apiUrl) ? 3 * day : 7 * day)
