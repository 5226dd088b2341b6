import { idIn, isObject, type Json, objectIn, textIn } from '../runtime/json.ts'
import { day } from '../runtime/units.ts'
import { isHostedApi } from './addresses.ts'
import { AnswerError, cutMember, maxDeliveryBytes, parseAnswer, parseRounded } from './answer.ts'
import { type AttemptStatus, attemptStatus } from './attempt-status.ts'
import type { GitHubResponse, RequestError, Requester } from './requester.ts'

/** One attempt of GitHub to deliver an event, as its log lists it. */
export interface LoggedAttempt extends AttemptStatus {
  /** A decimal integer of 64 bits: too large for a JavaScript number. */
  id: string
  /** `unknown-` and the id, if GitHub lists the attempt without a valid GUID. */
  guid: string
  /** The time of the attempt by GitHub's clock, in milliseconds since 1970. */
  deliveredAt: number
  /** `unknown`, if GitHub lists the attempt without an event. */
  event: string
  action: string | undefined
  /** Whether the receiver answered with 2xx. */
  ok: boolean
  /** Whether this attempt is a redelivery, and not GitHub's first attempt. */
  redelivery: boolean
}

/** The request that GitHub sent. */
export interface SentRequest {
  headers: Readonly<Record<string, string>>
  /** The JSON of the payload as GitHub's API shows it, digit by digit. It may differ from the signed bytes. */
  payload: string
}

/** The request of an attempt, and the receiver's answer. */
export interface Exchange {
  request: SentRequest
  /** `payload` is the body. */
  response: { headers: Readonly<Record<string, string>>; payload: string }
}

/** Entries in a page: the most that GitHub allows. */
const pageSize = 100

/**
 * The maximum number of pages of one read. In the 3 days for which GitHub keeps deliveries, a client can request
 * about 259,000 redeliveries, because GitHub asks for a second between two requests. So more attempts would not help.
 */
const maxPages = 2500

/** The maximum number of descriptions in `LogReading.unreadable`. */
const maxUnreadable = 10

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
   * Starts to read the log: requests the first page.
   * @param options `ifChanged`: if true, returns `undefined` if the first page has not changed since the previous read
   *   with this option. GitHub then answers 304, which does not count against the rate limit of an authenticated client.
   */
  async open({ ifChanged }: { ifChanged?: boolean } = {}): Promise<LogReading | undefined> {
    const etag = ifChanged ? this.#firstPageEtag : undefined
    try {
      const first = await this.#page(undefined, etag === undefined ? {} : { 'if-none-match': etag })
      if (ifChanged !== undefined) this.#firstPageEtag = first.headers.etag?.toString()
      return new LogReading(first, (cursor) => this.#page(cursor))
    } catch (error) {
      if ((error as RequestError).status === 304) return undefined
      throw error
    }
  }

  #page(cursor: string | undefined, headers: object = {}): Promise<GitHubResponse> {
    return this.#github.request(`GET ${this.#path}`, { per_page: pageSize, cursor, headers })
  }

  /** The first page of the log: the newest attempts. */
  async newest(): Promise<LoggedAttempt[]> {
    const reading = await this.open()
    for await (const page of reading?.since(0) ?? []) return page
    return []
  }

  async read(id: string): Promise<SentRequest> {
    return (await this.readExchange(id)).request
  }

  /** @throws {AnswerError} if GitHub's answer has no payload, or a payload that is not a JSON object. */
  async readExchange(id: string): Promise<Exchange> {
    const options = { request: { maxAnswerBytes: maxDeliveryBytes } }
    const { text } = await this.#github.request(`GET ${this.#path}/${id}`, options)
    const { member: payload = 'null', rest = text } = cutMember(text, ['request', 'payload']) ?? {}
    const exchange = parseAnswer(rest)
    if (!isObject(exchange)) throw new AnswerError('GitHub answered without the delivery')
    if (!isObject(parseRounded(payload))) throw new AnswerError('GitHub answered without a payload')
    const response = objectIn(exchange, 'response')
    return {
      request: { headers: headersIn(objectIn(exchange, 'request')), payload },
      response: { headers: headersIn(response), payload: textIn(response, 'payload') ?? '' },
    }
  }

  /** Has GitHub send the delivery again, signed, to the URL of the webhook. */
  async redeliver(id: string): Promise<void> {
    await this.#github.request(`POST ${this.#path}/${id}/attempts`)
  }
}

/** One read of a log, from its newest attempt back. */
export class LogReading {
  /** GitHub's time when the read began, in milliseconds since 1970. GitHub's other times are compared with it only. */
  readonly now: number
  /** Descriptions of entries that have no id, so that nothing can be done about them. */
  readonly unreadable: string[] = []
  /** Why the read ended before it reached the time `from`. `undefined` if it did reach it. */
  problem: string | undefined
  /** Whether the log ended too early because it is broken, and not because it has too many attempts. */
  isBroken = false
  readonly #first: GitHubResponse
  readonly #next: (cursor: string) => Promise<GitHubResponse>

  constructor(first: GitHubResponse, next: (cursor: string) => Promise<GitHubResponse>) {
    this.#first = first
    this.#next = next
    this.now = (Date.parse(String(first.headers.date)) || Date.now()) + lessThanASecond
  }

  /**
   * Pages of attempts, newest first, down to a time in milliseconds since 1970. The order of the log counts more than
   * its times: an attempt with an impossible time gets the time `from` or `now`, whichever is nearer, or the time of
   * the attempt before it.
   */
  async *since(from: number): AsyncGenerator<LoggedAttempt[], void, undefined> {
    const cursors = new Set<string>()
    let previous = this.now
    let older: LoggedAttempt[] = []
    for (let page = this.#first; ; ) {
      const items = parseAnswer(page.text)
      if (!Array.isArray(items)) throw new AnswerError("GitHub's log is not a list: check --github or --api-url")
      const attempts = older.concat(items.flatMap((item: unknown) => this.#attemptIn(item)))
      const last = attempts.findLastIndex(({ deliveredAt }) => Number.isNaN(deliveredAt) || deliveredAt >= from)
      yield attempts.slice(0, last + 1).map((attempt) => {
        previous = Math.max(
          from,
          Math.min(Number.isNaN(attempt.deliveredAt) ? previous : attempt.deliveredAt, this.now),
        )
        return { ...attempt, deliveredAt: previous }
      })
      const cursor = nextCursor(page.headers.link)
      older = attempts.slice(last + 1)
      if (cursor === undefined || older.length >= certainlyOlder) return
      const hasTimes = attempts.some(({ deliveredAt }) => !Number.isNaN(deliveredAt))
      this.isBroken = cursors.has(cursor) || items.length === 0 || !hasTimes
      if (this.isBroken) this.problem = "GitHub's delivery log repeats a page, or has a page without attempts"
      else if (cursors.size + 1 === maxPages) this.problem = tooLong
      if (this.problem !== undefined) return
      cursors.add(cursor)
      page = await this.#next(cursor)
    }
  }

  #attemptIn(item: unknown): LoggedAttempt | [] {
    const attempt = isObject(item) ? attemptOf(item) : undefined
    if (!attempt && this.unreadable.length < maxUnreadable) this.unreadable.push(describeItem(item))
    return attempt ?? []
  }
}

/** A read ends after a page whose last attempts, at least this many, are older than `from`. One may have a wrong time. */
const certainlyOlder = 3

/** GitHub's header `Date` has whole seconds, and its log has milliseconds. */
const lessThanASecond = 999

const tooLong = `GitHub's delivery log has more than ${maxPages * pageSize} attempts: the older ones were not read`

/** An entry of the delivery log. `undefined` if it has no id. */
function attemptOf(item: Json): LoggedAttempt | undefined {
  const id = idIn(item)
  if (id === undefined) return undefined
  const [guid, code] = [textIn(item, 'guid') ?? '', item.status_code]
  return {
    id,
    guid: isGuid(guid) ? guid : `${unknownGuid}${id}`,
    deliveredAt: Date.parse(textIn(item, 'delivered_at') ?? ''),
    event: nameIn(item, 'event') ?? unknownEvent,
    action: nameIn(item, 'action'),
    ...attemptStatus(item.status, code),
    ok: typeof code === 'number' && code >= 200 && code < 300,
    redelivery: item.redelivery === true,
  }
}

const unknownGuid = 'unknown-'
export const unknownEvent = 'unknown'

/** Whether a text is a GUID of GitHub, as far as hookserver relies on it. */
export const isGuid = (text: string): boolean => /^[\w-]{1,100}$/.test(text) && !text.startsWith(unknownGuid)

/** The name of an event or an action. Senders choose the actions of `repository_dispatch`. */
function nameIn(item: Json, name: string): string | undefined {
  const text = textIn(item, name)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL cannot store U+0000
  return text?.replace(/[\x00-\x1f\x7f]/g, '').slice(0, 100)
}

/** Without the values, because the text of a status may contain the URL of the webhook. */
function describeItem(item: unknown): string {
  if (isObject(item)) return `{ ${Object.keys(item).join(', ').slice(0, 100)} }`
  return Array.isArray(item) ? 'a list' : item === null ? 'null' : typeof item
}

/** The headers of a request or a response. Values that are no texts are left out. */
function headersIn(data: Json | undefined): Record<string, string> {
  const entries = Object.entries(objectIn(data, 'headers') ?? {})
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** The cursor of the page of older deliveries, from a `Link` header (RFC 8288). */
function nextCursor(link: string | number | undefined): string | undefined {
  const next = String(link ?? '')
    .split(',')
    .find((one) => /;\s*rel="next"/.test(one))
  const url = next && /<([^>]+)>/.exec(next)?.[1]
  return (url && URL.parse(url)?.searchParams.get('cursor')) || undefined
}

/**
 * Milliseconds for which GitHub keeps deliveries: 3 days, and 7 on an Enterprise Server. An API without TLS is that of a
 * local GitHub, which keeps them as github.com does.
 */
export const deliveryRetention = (apiUrl: string): number =>
  isHostedApi(apiUrl) || apiUrl.startsWith('http:') ? 3 * day : 7 * day
