import type { SweepOptions } from '../github/recovery/options.ts'
import type { Swept } from '../github/recovery/sweeper.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { RegisteredProcess } from '../inbox/processes.ts'
import type { PathCondition, Query, Selection } from '../inbox/query/query.ts'
import type { DeliveryDetail, InboxOverview, Page } from '../inbox/records.ts'
import { responseText } from '../runtime/untrusted-text.ts'
import { withCauses } from './output.ts'

/** The part of an inbox that the commands use: a database that this machine reaches, or a remote server. */
export type AdminClient = Pick<
  Inbox,
  'list' | 'get' | 'body' | 'retry' | 'discard' | 'pause' | 'resume' | 'overview' | 'processes' | 'close'
>

const timeoutMs = 60_000
/** Fits 500 deliveries, or one with the logs of all its attempts. */
const maxJsonBytes = 64 * 1024 * 1024

/** The inbox of a remote server, through its admin API. */
export class RemoteAdminClient implements AdminClient {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  async list(query: Query): Promise<Page> {
    const parameters = Object.entries(fieldsOf(query)).map(([name, value]): [string, string] => [name, String(value)])
    return jsonOf(await this.#request('GET', `/deliveries?${new URLSearchParams(parameters)}`))
  }

  async get(id: number): Promise<DeliveryDetail | undefined> {
    const response = await this.#find(`/deliveries/${id}`)
    return response && jsonOf(response)
  }

  async body(id: number): Promise<Uint8Array | undefined> {
    return (await this.#find(`/deliveries/${id}/body`))?.bytes()
  }

  async overview(): Promise<InboxOverview> {
    return jsonOf(await this.#request('GET', '/stats'))
  }

  async processes(): Promise<RegisteredProcess[]> {
    const { processes } = await jsonOf<{ processes: RegisteredProcess[] }>(await this.#request('GET', '/processes'))
    return processes
  }

  retry(selection: Selection): Promise<number> {
    return this.#change('/deliveries/retry', selectionOf(selection))
  }

  discard(selection: Selection, reason: string): Promise<number> {
    return this.#change('/deliveries/discard', { ...selectionOf(selection), reason })
  }

  async pause(handler: string): Promise<void> {
    await this.#request('POST', '/pause', { handler })
  }

  async resume(handler: string): Promise<void> {
    await this.#request('POST', '/resume', { handler })
  }

  /** Has no timeout: GitHub redelivers one delivery a second. */
  async recover(options: SweepOptions): Promise<Swept> {
    const response = await this.#requireOk(await this.#fetch('POST', '/recovery', options, null))
    try {
      return await jsonOf<Swept>(response)
    } catch (cause) {
      throw new Error(`${this.#url} did not report the result: ${withCauses(cause)}`, { cause })
    }
  }

  async close(): Promise<void> {}

  async #change(path: string, body: object): Promise<number> {
    const { count } = await jsonOf<{ count: number }>(await this.#request('POST', path, body))
    return count
  }

  /** @returns `undefined` if the server answers `not_found`. */
  async #find(path: string): Promise<Response | undefined> {
    const response = await this.#fetch('GET', path)
    const isMissing = response.status === 404 && (await problemOf(response.clone()))?.code === 'not_found'
    return isMissing ? undefined : this.#requireOk(response)
  }

  async #request(method: string, path: string, body?: object): Promise<Response> {
    return this.#requireOk(await this.#fetch(method, path, body))
  }

  async #requireOk(response: Response): Promise<Response> {
    if (response.ok) return response
    const problem = await problemOf(response)
    const detail = problem?.detail ?? 'check that this is the admin address of a hookserver'
    throw new Error(`${this.#url} answered ${response.status}: ${detail}`)
  }

  async #fetch(method: string, path: string, body?: object, limit: number | null = timeoutMs): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` }
    if (body) headers['content-type'] = 'application/json'
    try {
      return await fetch(`${this.#url}/api${path}`, {
        ...{ method, headers, redirect: 'error', signal: limit === null ? null : AbortSignal.timeout(limit) },
        ...(body && { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      throw new Error(`${this.#url} cannot be reached: ${withCauses(cause)}`, { cause })
    }
  }
}

const selectionOf = (selection: Selection): object =>
  'ids' in selection ? selection : { query: fieldsOf(selection.query) }

/** The filters of the API; words and paths become the text `q`. The server sets its own time budget. */
function fieldsOf({ words = [], paths = [], budget: _, ...filters }: Query): Record<string, string | number> {
  const q = [...words.map(quoted), ...paths.map(pathText)].join(' ')
  const fields = Object.entries({ ...filters, q: q || undefined })
  return Object.fromEntries(fields.filter((field): field is [string, string | number] => field[1] !== undefined))
}

/** Parsed words hold no quotes. */
const quoted = (text: string): string => `"${text}"`

/** A leading quote would make it a word, so the first character of the path stays before the quote. */
function pathText({ path, value }: PathCondition): string {
  const name = path.join('.')
  return `${name.slice(0, 1)}${quoted(name.slice(1))}:${quoted(value)}`
}

/** The RFC 9457 problem of an answer. Another server at that address sends none. */
async function problemOf(response: Response): Promise<{ code?: string; detail?: string } | undefined> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined
  return jsonOf<{ code?: string; detail?: string }>(response).catch(() => undefined)
}

const jsonOf = async <Answer>(response: Response): Promise<Answer> =>
  JSON.parse(await responseText(response, maxJsonBytes))
