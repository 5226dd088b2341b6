import type { SweepOptions, Swept } from '../github/sweeper.ts'
import type { RegisteredProcess } from '../inbox/processes.ts'
import type { PathCondition, Query, Selection } from '../inbox/query/query.ts'
import type { DeliveryDetail, InboxOverview, Page } from '../inbox/records.ts'
import { responseText } from '../runtime/untrusted-text.ts'
import { withCauses } from './errors.ts'
import type { Operator } from './operator.ts'

/** Milliseconds that a server may take for an answer. */
const patience = 60_000
/** Bytes of an answer in JSON: more than 500 deliveries with their facts, or one with the log of each attempt. */
const maxJsonBytes = 64 * 1024 * 1024

/** The inbox of a server far away, by its admin API. */
export class RemoteOperator implements Operator {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  async list(query: Query): Promise<Page> {
    const parameters = Object.entries(fieldsOf(query)).map(([name, value]): [string, string] => [name, String(value)])
    return jsonOf(await this.#ask('GET', `/deliveries?${new URLSearchParams(parameters)}`))
  }

  async get(id: number): Promise<DeliveryDetail | undefined> {
    const response = await this.#find(`/deliveries/${id}`)
    return response && jsonOf(response)
  }

  async body(id: number): Promise<Uint8Array | undefined> {
    return (await this.#find(`/deliveries/${id}/body`))?.bytes()
  }

  async overview(): Promise<InboxOverview> {
    return jsonOf(await this.#ask('GET', '/stats'))
  }

  async processes(): Promise<RegisteredProcess[]> {
    const { processes } = await jsonOf<{ processes: RegisteredProcess[] }>(await this.#ask('GET', '/processes'))
    return processes
  }

  retry(selection: Selection): Promise<number> {
    return this.#act('/deliveries/retry', selectionOf(selection))
  }

  discard(selection: Selection, reason: string): Promise<number> {
    return this.#act('/deliveries/discard', { ...selectionOf(selection), reason })
  }

  async pause(handler: string): Promise<void> {
    await this.#ask('POST', '/pause', { handler })
  }

  async resume(handler: string): Promise<void> {
    await this.#ask('POST', '/resume', { handler })
  }

  /** Waits for as long as it takes: GitHub is asked for one delivery a second. */
  async recover(options: SweepOptions): Promise<Swept> {
    const response = await this.#checked(await this.#fetch('POST', '/recovery', options, null))
    try {
      return await jsonOf<Swept>(response)
    } catch (cause) {
      throw new Error(`${this.#url} did not say how it ended: ${withCauses(cause)}`, { cause })
    }
  }

  async close(): Promise<void> {}

  async #act(path: string, body: object): Promise<number> {
    const { count } = await jsonOf<{ count: number }>(await this.#ask('POST', path, body))
    return count
  }

  /** `undefined` if the server says that there is no such thing. */
  async #find(path: string): Promise<Response | undefined> {
    const response = await this.#fetch('GET', path)
    if (response.status !== 404) return this.#checked(response)
    const problem = await problemOf(response.clone())
    return problem?.code === 'not_found' ? undefined : this.#checked(response)
  }

  async #ask(method: string, path: string, body?: object): Promise<Response> {
    return this.#checked(await this.#fetch(method, path, body))
  }

  async #checked(response: Response): Promise<Response> {
    if (response.ok) return response
    const problem = await problemOf(response)
    const detail = problem?.detail ?? 'is that the admin address of a hookserver?'
    throw new Error(`${this.#url} answered ${response.status}: ${detail}`)
  }

  async #fetch(method: string, path: string, body?: object, limit: number | null = patience): Promise<Response> {
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

/** The filters of the API: words and paths as `q`, as somebody would type them; how long it looks is up to the server. */
function fieldsOf({ words = [], paths = [], budget: _, ...filters }: Query): Record<string, string | number> {
  const q = [...words.map(quoted), ...paths.map(typed)].join(' ')
  const fields = Object.entries({ ...filters, q: q || undefined })
  return Object.fromEntries(fields.filter((field): field is [string, string | number] => field[1] !== undefined))
}

/** `parseQuery` leaves no quotes in what it reads. */
const quoted = (text: string): string => `"${text}"`

/** What begins with a quote is a word: a path's first character stays before it. */
function typed({ path, value }: PathCondition): string {
  const name = path.join('.')
  return `${name.slice(0, 1)}${quoted(name.slice(1))}:${quoted(value)}`
}

/** RFC 9457; whatever else answers under that address has none. */
async function problemOf(response: Response): Promise<{ code?: string; detail?: string } | undefined> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined
  return jsonOf<{ code?: string; detail?: string }>(response).catch(() => undefined)
}

const jsonOf = async <Answer>(response: Response): Promise<Answer> =>
  JSON.parse(await responseText(response, maxJsonBytes))
