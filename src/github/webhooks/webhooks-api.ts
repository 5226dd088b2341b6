import { idIn, isObject } from '../../runtime/json.ts'
import { sleep } from '../../runtime/timer.ts'
import { AnswerError, parseAnswer } from '../answer.ts'
import { DeliveryLog } from '../delivery-log.ts'
import {
  defaultRetryPolicy,
  describeError,
  type Pause,
  type RequestError,
  type Requester,
  RetryingRequester,
  type RetryPolicy,
} from '../requester.ts'
import { hooksPath, type Target } from '../target.ts'
import { type Access, explainDeniedAccess, explainInvalid } from './denied-access.ts'
import { listWebhooks } from './find-webhooks.ts'
import { appDetailsIn, detailsIn, type WebhookDetails, type WebhookSettings } from './webhook-details.ts'

/** GitHub asks clients to wait this many milliseconds between two requests that change something. */
const writeIntervalMs = 1000

export interface WebhooksApiOptions {
  target: Target
  github: Requester
  signal: AbortSignal
  /** Whether to wait between two writes. Default: true. */
  pacing?: boolean
  /** Waits for rate limits, before retries, between two writes, and between two polls of the delivery log. */
  pause?: Pause
  /** The waits before each retry of a failed request, in milliseconds. */
  retries?: RetryPolicy['retries']
}

/**
 * The webhooks of a repository or an organization, or the webhook of an App. Its errors have messages for the operator.
 */
export class WebhooksApi {
  readonly #target: Target
  readonly #signal: AbortSignal
  readonly #writeInterval: number
  readonly #pause: Pause
  readonly #github: Requester
  /**
   * Does not retry a request that failed, because GitHub may have carried it out nevertheless. Still waits for rate
   * limits, and then sends the request again.
   */
  readonly #once: Requester
  #nextWriteAt = 0

  constructor(options: WebhooksApiOptions) {
    const { target, github, signal, pacing = true, pause, retries = defaultRetryPolicy.retries } = options
    this.#target = target
    this.#signal = signal
    this.#writeInterval = pacing ? writeIntervalMs : 0
    this.#pause = pause ?? ((ms) => sleep(ms, signal, { keepAlive: true }))
    this.#github = new RetryingRequester(github, signal, { ...defaultRetryPolicy, retries }, this.#pause)
    this.#once = new RetryingRequester(github, signal, { ...defaultRetryPolicy, retries: [] }, this.#pause)
  }

  async list(): Promise<WebhookDetails[]> {
    return this.#explain('read', async () => {
      if (this.#target !== 'app') return listWebhooks(this.#target, this.#github)
      const [config, app] = [await this.#github.request('GET /app/hook/config'), await this.#github.request('GET /app')]
      return [appDetailsIn(parseAnswer(config.text), parseAnswer(app.text))]
    })
  }

  /** Creates a webhook of a repository or an organization. GitHub then pings the new webhook. */
  async create(settings: WebhookSettings, secret: string): Promise<WebhookDetails> {
    const { events, active } = settings
    const body = { name: 'web', active, events, config: configOf(settings, secret) }
    try {
      const answer = parseAnswer(await this.#write(`POST ${hooksPath(this.#target)}`, body, this.#once))
      if (isObject(answer) && idIn(answer) !== undefined) return detailsIn(answer)
      throw new AnswerError("GitHub's answer to the creation of a webhook has no id")
    } catch (error) {
      const { message, cause } = error as Error
      const { status } = (cause ?? {}) as RequestError
      if (status !== undefined && status < 500) throw error
      throw new Error(`${message}. GitHub may have created the webhook: run the command again, which then finds it`, {
        cause,
      })
    }
  }

  /**
   * Changes the events and all other settings. The request contains the secret, because GitHub would otherwise remove
   * the secret, and would not sign deliveries.
   */
  async update(id: string, settings: WebhookSettings, secret: string): Promise<void> {
    const { events, active } = settings
    const body = { active, events, config: configOf(settings, secret) }
    await this.#write(`PATCH ${hooksPath(this.#target)}/${id}`, body)
  }

  /** Sets the secret, and the URL, content type and TLS verification if they are given. Other settings stay. */
  async updateConfig(id: string | undefined, settings: Partial<WebhookSettings>, secret: string): Promise<void> {
    await this.#write(`PATCH ${this.#pathOf(id)}/config`, configOf(settings, secret))
  }

  async ping(id: string): Promise<void> {
    await this.#write(`POST ${this.#pathOf(id)}/pings`)
  }

  /** A webhook that no longer exists counts as deleted: GitHub may have deleted it, although its response got lost. */
  async delete(id: string): Promise<void> {
    try {
      await this.#write(`DELETE ${this.#pathOf(id)}`)
    } catch (error) {
      const { status } = ((error as Error).cause ?? {}) as RequestError
      // GitHub also answers 404 to a token without the permission.
      if (status !== 404 || (await this.list()).some((one) => one.id === id)) throw error
    }
  }

  /** The delivery log of a webhook. Its errors have messages for the operator. */
  log(id: string | undefined): DeliveryLog {
    const request: Requester['request'] = (route, parameters) => {
      const isWrite = route.startsWith('POST ')
      return this.#explain(isWrite ? 'write' : 'read', async () => {
        if (isWrite) await this.#waitForTurn()
        return this.#github.request(route, parameters)
      })
    }
    return new DeliveryLog({ request }, `${this.#pathOf(id)}/deliveries`)
  }

  /** Waits for `ms` milliseconds. @throws {Error} if the command is stopped. */
  async pause(ms: number): Promise<void> {
    await this.#pause(ms)
    if (this.#signal.aborted) throw new Error('Stopped')
  }

  #pathOf(id: string | undefined): string {
    return this.#target === 'app' ? '/app/hook' : `${hooksPath(this.#target)}/${id}`
  }

  #write(route: string, body?: Body, github: Requester = this.#github): Promise<string> {
    const work = async () => {
      await this.#waitForTurn()
      // As `data`: Octokit takes a parameter called `url` as the address of the request, and would send the token there.
      return (await github.request(route, body && { data: body })).text
    }
    return this.#explain('write', work, body && secretIn(body))
  }

  async #waitForTurn(): Promise<void> {
    const wait = this.#nextWriteAt - performance.now()
    if (wait > 0) await this.pause(wait)
    this.#nextWriteAt = performance.now() + this.#writeInterval
  }

  /** @param secret Removed from the message, because the response of GitHub or of a proxy may contain the request. */
  async #explain<Result>(access: Access, work: () => Promise<Result>, secret?: string): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (this.#signal.aborted) throw new Error('Stopped', { cause: error })
      const text = explainDeniedAccess(error, this.#target, access) ?? explainInvalid(error) ?? describeError(error)
      throw new Error(secret ? text.replaceAll(secret, '[secret]') : text, { cause: error })
    }
  }
}

interface Body {
  [property: string]: unknown
  config?: { secret: string }
  secret?: string
}

const secretIn = ({ config, secret }: Body): string | undefined => config?.secret ?? secret

/** The properties by GitHub's names. Those that are not given stay unchanged. */
function configOf({ url, contentType, verifiesTls }: Partial<WebhookSettings>, secret: string) {
  return {
    ...(url !== undefined && { url }),
    ...(contentType !== undefined && { content_type: contentType }),
    ...(verifiesTls !== undefined && { insecure_ssl: verifiesTls ? '0' : '1' }),
    secret,
  }
}
