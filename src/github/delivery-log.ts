import type { Requester, RequestFailure } from './requester.ts'

/** One time that GitHub sent a delivery. */
export interface Attempt {
  id: number
  guid: string
  /** In milliseconds since 1970. */
  deliveredAt: number
  event: string
  action: string | undefined
  /** As GitHub's page shows it: `OK`, `timed out`, … */
  status: string
  /** Whether it was answered 2xx. */
  ok: boolean
  /** Whether somebody has asked for it. */
  redelivery: boolean
}

/** What was sent. The payload has been parsed by GitHub: its signature cannot be checked any more. */
export interface Sent {
  headers: Readonly<Record<string, string>>
  payload: object
}

interface Item {
  id: number
  guid: string
  delivered_at: string
  redelivery: boolean
  status: string
  status_code: number
  event: string
  action: string | null
}

/** Deliveries in a page: the most that GitHub gives. */
const pageSize = 100

/** GitHub's log of what it sent to one hook. */
export class DeliveryLog {
  readonly #github: Requester
  readonly #path: string
  /** Of the first page. */
  #etag: string | undefined

  /** @param path Such as `/repos/acme/shop/hooks/1/deliveries`. */
  constructor(github: Requester, path: string) {
    this.#github = github
    this.#path = path
  }

  /**
   * Page after page, the newest first, down to a time in milliseconds since 1970.
   * @param options `ifChanged`: nothing at all if there is nothing that was not there the last time. GitHub answers
   *   that with 304, which costs nothing of the rate limit.
   */
  async *since(from: number, { ifChanged = false }: { ifChanged?: boolean } = {}): AsyncGenerator<Attempt[]> {
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await this.#page(cursor, ifChanged)
      if (!page) return
      const { headers, data } = page
      const attempts = (data as Item[]).map(attemptOf)
      yield attempts.filter(({ deliveredAt }) => deliveredAt >= from)
      cursor = attempts.every(({ deliveredAt }) => deliveredAt >= from) ? nextCursor(headers.link) : undefined
    }
  }

  async #page(cursor: string | undefined, ifChanged: boolean) {
    const known = ifChanged && cursor === undefined ? this.#etag : undefined
    const headers = known === undefined ? {} : { 'if-none-match': known }
    try {
      const page = await this.#github.request(`GET ${this.#path}`, { per_page: pageSize, cursor, headers })
      if (cursor === undefined) this.#etag = page.headers.etag?.toString()
      return page
    } catch (error) {
      if ((error as RequestFailure).status === 304) return undefined
      throw error
    }
  }

  async read(id: number): Promise<Sent> {
    const { data } = await this.#github.request(`GET ${this.#path}/${id}`)
    const { request } = data as { request: { headers?: Record<string, string>; payload?: object } }
    return { headers: request.headers ?? {}, payload: request.payload ?? {} }
  }

  /** Has GitHub send it again; it comes on the usual way, signed. */
  async redeliver(id: number): Promise<void> {
    await this.#github.request(`POST ${this.#path}/${id}/attempts`)
  }
}

function attemptOf({ delivered_at, action, status_code, ...item }: Item): Attempt {
  const { id, guid, event, status, redelivery } = item
  const ok = status_code >= 200 && status_code < 300
  const deliveredAt = Date.parse(delivered_at)
  return { id, guid, deliveredAt, event, action: action ?? undefined, status, ok, redelivery }
}

/** Of a `Link` header (RFC 8288): that of the page of older deliveries. */
function nextCursor(link: string | number | undefined): string | undefined {
  const next = String(link ?? '')
    .split(',')
    .find((one) => /;\s*rel="next"/.test(one))
  const url = next && /<([^>]+)>/.exec(next)?.[1]
  return (url && URL.parse(url)?.searchParams.get('cursor')) || undefined
}

const day = 86_400_000

/** Milliseconds for which GitHub keeps deliveries: they can be read, and asked for again. */
export const keptAt = (apiUrl: string): number => (isGitHubCom(apiUrl) ? 3 * day : 7 * day)

/** Or one of its subdomains for companies, at ghe.com; all else is an Enterprise Server. */
const isGitHubCom = (apiUrl: string): boolean => /^https:\/\/api\.(github\.com|[\w-]+\.ghe\.com)$/.test(apiUrl)
