import type { ActionOf, EventOf, PayloadOf } from './events.ts'
import type { DeliveryOctokit } from './octokit.ts'
import { type Json, objectIn, textIn, wholeNumberIn } from './runtime/json.ts'
import { childLogger, type FullLogger, type Logger } from './telemetry/logger.ts'

/** One delivery of a webhook, as handlers see it. */
export interface Delivery<Name extends string = string> {
  /** `X-GitHub-Delivery`: one for the event, shared by all hooks it goes to and by redeliveries. Use it as idempotency key. */
  readonly guid: string
  /** `X-GitHub-Event`. Not signed. */
  readonly event: EventOf<Name>
  /** The payload's `action`, where it has one. */
  readonly action: ActionOf<Name>
  /** The payload. */
  readonly data: PayloadOf<Name>
  /** The request's headers, names in lower case. Not signed. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** `X-GitHub-Hook-ID`. Not signed. */
  readonly hookId: string | undefined
  /** The GitHub App's installation, from the payload. */
  readonly installationId: number | undefined
  /** `X-GitHub-Hook-Installation-Target-Type`: `repository`, `organization`, `integration`, … Not signed. */
  readonly targetType: string | undefined
  /** `X-GitHub-Hook-Installation-Target-ID`. Not signed. */
  readonly targetId: string | undefined
  /** The repository's full name, `owner/name`, from the payload. */
  readonly repository: string | undefined
  /** The login of who did it, from the payload. */
  readonly sender: string | undefined
  /** When the request arrived. */
  readonly receivedAt: Date
  /** The mount it came in through: the option `source`, else the mount's `url`. */
  readonly source: string
  /** The `id` that the secret resolver gave; to be compared with the payload, since it was chosen by unsigned headers. */
  readonly secretId: string | undefined
  /** Which of several secrets it was signed with, counted from 0; `undefined` if signatures are not checked. */
  readonly secretIndex: number | undefined
  /** Which attempt this is, counted from 1. */
  readonly attempt: number
  /** Whether GitHub sent it again. */
  readonly redelivered: boolean
  /** Whether its payload was fetched from GitHub's API. */
  readonly recovered: boolean
  /** Whether the same bytes came before under another GUID. */
  readonly replayed: boolean
  /** Whether other bytes came before under the same identity. */
  readonly conflict: boolean
  /** Aborts when the time for handling is over, or at a shutdown. */
  readonly signal: AbortSignal
  /** The logger, with GUID and event in every line. */
  readonly log: FullLogger
  /**
   * An Octokit that speaks for the App where this delivery is from an installation of it (option `app`), else for the
   * option `token`. It stops when `signal` aborts, waits for GitHub's limits, and logs to `log`.
   * @throws {Error} (rejects) if there is neither, or the package `octokit` is not installed.
   */
  octokit(): Promise<DeliveryOctokit>
}

/** Gives deliveries their Octokit. */
export type OctokitSource = (delivery: Delivery) => Promise<DeliveryOctokit>

/** What is known of a delivery before its payload is read. */
export interface DeliveryFacts {
  guid: string
  event: string
  headers: Readonly<Record<string, string | undefined>>
  receivedAt: Date
  source: string
  secretId: string | undefined
  secretIndex: number | undefined
  /** What only an inbox knows. Default: the first attempt for a delivery like any other. */
  attempt?: number
  redelivered?: boolean
  recovered?: boolean
  replayed?: boolean
  conflict?: boolean
}

/** A delivery that has just been received. What handlers seldom ask for is worked out when they do. */
export class ReceivedDelivery implements Delivery {
  readonly guid: string
  readonly event: string
  readonly action: string | undefined
  readonly data: Json
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly receivedAt: Date
  readonly source: string
  readonly secretId: string | undefined
  readonly secretIndex: number | undefined
  readonly attempt: number
  readonly redelivered: boolean
  readonly recovered: boolean
  readonly replayed: boolean
  readonly conflict: boolean
  readonly #logger: Logger
  readonly #octokits: OctokitSource
  #octokit: Promise<DeliveryOctokit> | undefined
  #abort: AbortController | undefined
  #abortReason: unknown

  constructor(facts: DeliveryFacts, data: Json, logger: Logger, octokits: OctokitSource) {
    this.guid = facts.guid
    this.event = facts.event
    this.headers = facts.headers
    this.receivedAt = facts.receivedAt
    this.source = facts.source
    this.secretId = facts.secretId
    this.secretIndex = facts.secretIndex
    this.attempt = facts.attempt ?? 1
    this.redelivered = facts.redelivered ?? false
    this.recovered = facts.recovered ?? false
    this.replayed = facts.replayed ?? false
    this.conflict = facts.conflict ?? false
    this.action = textIn(data, 'action')
    this.data = data
    this.#logger = logger
    this.#octokits = octokits
  }

  get hookId(): string | undefined {
    return this.headers['x-github-hook-id']
  }

  get targetType(): string | undefined {
    return this.headers['x-github-hook-installation-target-type']
  }

  get targetId(): string | undefined {
    return this.headers['x-github-hook-installation-target-id']
  }

  get installationId(): number | undefined {
    return wholeNumberIn(objectIn(this.data, 'installation'), 'id')
  }

  get repository(): string | undefined {
    return textIn(objectIn(this.data, 'repository'), 'full_name')
  }

  get sender(): string | undefined {
    return textIn(objectIn(this.data, 'sender'), 'login')
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#abortReason) this.#abort.abort(this.#abortReason)
    }
    return this.#abort.signal
  }

  get log(): FullLogger {
    return childLogger(this.#logger, { guid: this.guid, event: this.event })
  }

  octokit(): Promise<DeliveryOctokit> {
    this.#octokit ??= this.#octokits(this)
    return this.#octokit
  }

  /** Aborts `signal`, for those who hold it and those who will ask for it. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#abort?.abort(reason)
  }
}
