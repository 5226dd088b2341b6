import { randomBytes } from 'node:crypto'
import { isObject, objectIn, textIn } from '../../src/runtime/json.ts'
import { type ApiAnswer, ApiError, type GitHubApi } from './github-api.ts'
import type { Redactor } from './redactor.ts'

/**
 * The parameter in the query of a webhook's URL that marks the webhook as one of the probe. Receivers ignore unknown
 * parameters, so the marker changes nothing else.
 */
export const marker = 'hookserver-probe'

/** Whether GitHub rejected a webhook because of its settings. */
export const isRejection = (error: unknown): error is ApiError =>
  error instanceof ApiError && (error.answer.status === 400 || error.answer.status === 422)

/** The largest page that GitHub returns. */
const pageSize = 100

export interface NewWebhook {
  url: string
  /** Default: `json`. */
  contentType?: 'json' | 'form'
  /** Default: `star`, so that only pings are delivered. */
  event?: string
}

export interface Webhook {
  id: string
  /** `/repos/octo/scratch/hooks/1` */
  path: string
  /** The URL that deliveries go to, with the marker. */
  url: string
  /** GitHub's answer to the creation, which also sends a ping. */
  created: ApiAnswer
}

/** The webhooks of the probe in one repository. */
export class Webhooks {
  readonly #api: GitHubApi
  readonly #path: string
  readonly #run: string
  readonly #redactor: Redactor
  readonly #created = new Set<string>()
  #count = 0

  /**
   * @param repositoryPath Such as `/repos/octo/scratch`.
   * @param run A name for this run. It makes the URLs of the webhooks unique, as GitHub requires.
   */
  constructor(api: GitHubApi, repositoryPath: string, run: string, redactor: Redactor) {
    this.#api = api
    this.#path = `${repositoryPath}/hooks`
    this.#run = run
    this.#redactor = redactor
  }

  /** Creates a webhook with a secret. @throws {ApiError} if GitHub rejects it. */
  async create({ url, contentType = 'json', event = 'star' }: NewWebhook): Promise<Webhook> {
    const secret = randomBytes(20).toString('hex')
    this.#redactor.add(secret)
    const marked = this.marked(url)
    const config = { url: marked, content_type: contentType, secret, insecure_ssl: '0' }
    const created = await this.#api.request('POST', this.#path, {
      body: { name: 'web', active: true, events: [event], config },
    })
    const path = this.#remember(created)
    return { id: path.slice(path.lastIndexOf('/') + 1), path, url: marked, created }
  }

  /** A URL with the marker, which no other webhook of this run has. */
  marked(url: string): string {
    const marked = new URL(url)
    marked.searchParams.set(marker, `${this.#run}-${++this.#count}`)
    return marked.href
  }

  /** Deletes the webhooks that this run created. @throws {Error} if GitHub still has one of them. */
  async removeCreated(): Promise<void> {
    const failures: string[] = []
    for (const path of this.#created) {
      try {
        await this.#api.request('DELETE', path)
        this.#created.delete(path)
      } catch (error) {
        if (error instanceof ApiError && error.answer.status === 404) this.#created.delete(path)
        else failures.push((error as Error).message)
      }
    }
    if (failures.length > 0) throw new Error(failures.join('; '))
  }

  /** Deletes all webhooks with the marker, those of earlier runs included. @returns How many there were. */
  async removeLeftovers(): Promise<number> {
    const found: string[] = []
    for (let page = 1, full = true; full; page++) {
      const { data } = await this.#api.request('GET', `${this.#path}?per_page=${pageSize}&page=${page}`)
      if (!Array.isArray(data)) throw new Error(`The answer to GET ${this.#path} is not a list`)
      const marked = data.filter((hook) => URL.parse(urlOf(hook))?.searchParams.has(marker))
      found.push(...marked.map(({ id }) => `${this.#path}/${id}`))
      full = data.length === pageSize
    }
    for (const path of found) this.#created.add(path)
    await this.removeCreated()
    return found.length
  }

  #remember({ data }: ApiAnswer): string {
    const id = isObject(data) ? textIn(data, 'id') : undefined
    if (id === undefined) throw new Error(`The answer to POST ${this.#path} has no id`)
    const path = `${this.#path}/${id}`
    this.#created.add(path)
    return path
  }
}

const urlOf = (hook: unknown): string => (isObject(hook) && textIn(objectIn(hook, 'config'), 'url')) || ''
