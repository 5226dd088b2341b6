import type { BotContext, BotOctokit } from './bots/context.ts'
import type { BotMembers, BotMethods, ChangedFiles, ConfigOptions } from './bots/members.ts'
import type { StandardSchemaV1 } from './bots/standard-schema.ts'
import { isBotSender, issueTarget, pullRequestTarget, repositoryTarget, type TargetSource } from './bots/targets.ts'
import type { ActionOf, AnyPayload, EventOf, KnownEvent, NamesByEvent, PayloadOf } from './events.ts'
import { digitsIn, type Json, objectIn, textIn } from './runtime/json.ts'
import { type DeliveryLogger, deliveryLogger } from './telemetry/delivery-logger.ts'
import type { Logger } from './telemetry/logger.ts'

/**
 * One delivery of a webhook, as handlers get it. For several names, and for an event with several actions, this is a
 * union. A delivery has private state, so a copy such as `{ ...delivery, db }` lacks members: pass `{ delivery, db }`.
 * `event` and `action` tell the members of the union apart:
 *
 * ```ts
 * hooks.on(['push', 'issues'], ({ event, action, payload }) => {
 *   if (event === 'push') payload.commits
 *   else if (action === 'labeled') payload.label
 * })
 * ```
 */
export type Delivery<Name extends string = string> = Name extends KnownEvent
  ? EachDelivery<NamesByEvent[Name]>
  : ExactDelivery<Name>
type EachDelivery<Name extends string> = Name extends unknown ? ExactDelivery<Name> : never

/** A delivery of one event with one action, of an event without actions, or of any event. */
export interface ExactDelivery<Name extends string> extends BotMembers<Name> {
  /**
   * `X-GitHub-Delivery`: the same for all webhooks that receive one event, and for redeliveries. Use it as the
   * idempotency key. Not signed.
   */
  readonly guid: string
  /** The id in the inbox, which `hookserver deliveries show` takes. `undefined` without an inbox. */
  readonly id: number | undefined
  /** `X-GitHub-Event`. Not signed. */
  readonly event: EventOf<Name>
  /** The payload's `action`, if it has one. */
  readonly action: ActionOf<Name>
  /** The payload: the result of the option `parsePayload`, else of `JSON.parse`, which rounds integers above 2^53. */
  readonly payload: PayloadOf<Name>
  /** The request's headers, names in lower case. Not signed. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** `X-GitHub-Hook-ID`. Not signed. */
  readonly hookId: string | undefined
  /** The id of the GitHub App's installation, from the payload: all its digits, as text. */
  readonly installationId: string | undefined
  /** `X-GitHub-Hook-Installation-Target-Type`: `repository`, `organization`, `integration`, … Not signed. */
  readonly targetType: string | undefined
  /** `X-GitHub-Hook-Installation-Target-ID`. Not signed. */
  readonly targetId: string | undefined
  /** The repository's full name, `owner/name`, from the payload. */
  readonly repository: string | undefined
  /** The login of the user who caused the event, from the payload. */
  readonly sender: string | undefined
  /** When the request arrived. For a `pulled` delivery: when hookserver fetched it. */
  readonly receivedAt: Date
  /** The name of the mount that received the delivery: the option `source`, else the mount's `path`. */
  readonly source: string
  /**
   * The `id` that the secret resolver returned. The resolver chooses the secret by headers, which are not signed. So
   * a sender who knows the secret of one repository can also sign payloads about other repositories with it. Check that
   * this id belongs to the payload: if it is the id of a repository, compare it with `payload.repository.id`.
   */
  readonly secretId: string | undefined
  /** The position of the secret that signed the delivery, from 0; `undefined` if signatures are not checked. */
  readonly secretIndex: number | undefined
  /**
   * The number of this attempt, from 1. Attempts that a shutdown interrupted do not count. The number starts from 1
   * again in two cases: an operator retries the delivery, or another copy of the delivery arrives after the delivery
   * has ended without success.
   */
  readonly attempt: number
  /**
   * Whether this is the last attempt: if it fails, the task is dead. Without an inbox, `true`, because hookserver does
   * not retry.
   */
  readonly isLastAttempt: boolean
  /** The name of the handler that gets the delivery. Empty if no handler does, as in `onDead` for a damaged payload. */
  readonly handler: string
  /** Whether another copy of the delivery arrived before this attempt. */
  readonly redelivered: boolean
  /** Whether hookserver fetched the payload from GitHub's API. */
  readonly pulled: boolean
  /** Whether the same body arrived before with another GUID or event. */
  readonly replayed: boolean
  /** Whether another body arrived before with the same identity (source, hook id, GUID and secret id). */
  readonly conflict: boolean
  /** Aborts when the handler exceeds its time limit, or when a shutdown stops waiting for the handler. */
  readonly signal: AbortSignal
  /**
   * The body as it was received: the exact bytes that GitHub signed. For a `pulled` delivery, JSON with the payload
   * from GitHub's API. Without an inbox, hookserver keeps the bytes until the reply. With an inbox, each call reads the
   * bytes from the inbox.
   * @throws {Error} (rejects) after the reply if there is no inbox, or once the inbox has deleted the delivery.
   */
  body(): Promise<BodyBytes>
  /**
   * The logger, which adds GUID and event to every line. Takes the call forms of pino: `log.warn('text')`,
   * `log.warn('%s is missing', name)`, `log.error(error)`, `log.error(error, 'text')`, `log.info({ sha }, 'text')`.
   */
  readonly log: DeliveryLogger
  /**
   * An Octokit. If the option `app` is set and the payload names an installation, the Octokit authenticates as that
   * installation. Otherwise the Octokit uses the option `token`. Its requests end when `signal` aborts, wait for
   * GitHub's rate limits, and log to `log`.
   * @throws {Error} (rejects) if there is neither such an installation nor a token, or if the package `octokit` is not
   * installed.
   */
  octokit(): Promise<DeliveryOctokit>
}

/**
 * Bytes that share no memory with another thread, which the types of `fetch` require: `Uint8Array<ArrayBuffer>`, a type that
 * TypeScript 5.6 does not have.
 */
export type BodyBytes = ReturnType<Uint8ArrayConstructor['from']>

/** The priority of requests to GitHub. */
export type Priority = 'normal' | 'background'

/** Creates the Octokit of a delivery. @param priority The option of the handler. */
export type OctokitSource = (delivery: Delivery, priority?: Priority) => Promise<DeliveryOctokit>

type HeaderMember = 'guid' | 'event' | 'headers' | 'receivedAt' | 'source' | 'secretId' | 'secretIndex'
type InboxMember = 'id' | 'attempt' | 'redelivered' | 'pulled' | 'replayed' | 'conflict'

/**
 * The members of a delivery that are known without its payload. Members that only an inbox sets may be missing:
 * `id` is then `undefined`, `attempt` is 1, and the flags are `false`.
 */
export type DeliveryHeaders = Pick<Delivery, HeaderMember> & Partial<Pick<Delivery, InboxMember>>

/** The payload of a delivery, in two forms. Without the option `parsePayload`, both are the same object. */
export interface DeliveryPayload {
  /** For handlers: the result of the option `parsePayload`, else of `JSON.parse`. */
  readonly data: Json
  /**
   * For hookserver: action, repository, sender and installation, as `JSON.parse` returns them, so that they do not
   * depend on the option `parsePayload`. The id of the installation is not rounded.
   */
  readonly members: Json
}

/** A payload that hookserver has parsed for itself, and can parse for handlers. */
export interface ParsedPayload {
  /** The result of `JSON.parse`. */
  readonly plain: Json
  /** @throws {HookError} `invalid_payload` if the option `parsePayload` fails. */
  forHandlers(): DeliveryPayload
}

/** The part of a handler's registration that its attempts need. */
interface AttemptHandler {
  readonly name: string
  readonly options: { readonly priority?: Priority | undefined }
}

/** The sources of the members of a delivery that are neither headers nor payload. */
export interface DeliverySources {
  readonly logger: Logger
  readonly octokits: OctokitSource
  /** Reads the body. The caller may keep and change the bytes. */
  readBody(): Promise<Uint8Array>
}

/** The fields of each line of `delivery.log`. Leaves out the members that the delivery does not have. */
export function logFields({ id, guid, event, action }: Pick<Delivery, 'id' | 'guid' | 'event' | 'action'>): object {
  return { ...(id !== undefined && { id }), guid, event, ...(action !== undefined && { action }) }
}

/** The delivery that handlers get. Members that few handlers use are computed on access. */
export class ReceivedDelivery implements Delivery {
  readonly id: number | undefined
  readonly guid: string
  readonly event: string
  readonly action: string | undefined
  readonly payload: AnyPayload
  readonly receivedAt: Date
  readonly source: string
  readonly secretId: string | undefined
  readonly secretIndex: number | undefined
  readonly attempt: number
  readonly redelivered: boolean
  readonly pulled: boolean
  readonly replayed: boolean
  readonly conflict: boolean
  readonly #headers: Pick<DeliveryHeaders, 'headers'>
  readonly #members: Json
  readonly #sources: DeliverySources
  #handler = ''
  #isLastAttempt = true
  #priority: Priority | undefined
  #octokit: Promise<DeliveryOctokit> | undefined
  #changedFiles: Promise<ChangedFiles> | undefined
  #abort: AbortController | undefined
  #abortReason: unknown

  constructor(headers: DeliveryHeaders, payload: DeliveryPayload, sources: DeliverySources) {
    this.id = headers.id
    this.guid = headers.guid
    this.event = headers.event
    this.receivedAt = headers.receivedAt
    this.source = headers.source
    this.secretId = headers.secretId
    this.secretIndex = headers.secretIndex
    this.attempt = headers.attempt ?? 1
    this.redelivered = headers.redelivered ?? false
    this.pulled = headers.pulled ?? false
    this.replayed = headers.replayed ?? false
    this.conflict = headers.conflict ?? false
    this.action = textIn(payload.members, 'action')
    this.payload = payload.data as AnyPayload // its members may have other types, if the sender is not GitHub
    this.#headers = headers
    this.#members = payload.members
    this.#sources = sources
  }

  get handler(): string {
    return this.#handler
  }

  get isLastAttempt(): boolean {
    return this.#isLastAttempt
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    return this.#headers.headers
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

  get installationId(): string | undefined {
    return digitsIn(objectIn(this.#members, 'installation'), 'id')
  }

  get repository(): string | undefined {
    return textIn(objectIn(this.#members, 'repository'), 'full_name')
  }

  get sender(): string | undefined {
    return textIn(objectIn(this.#members, 'sender'), 'login')
  }

  get isBot(): boolean {
    return isBotSender(this.#members)
  }

  get repo(): BotMethods['repo'] {
    return (extra?: object) => ({ ...repositoryTarget(this.#target), ...extra }) as never
  }

  get issue(): BotMethods['issue'] {
    return (extra?: object) => ({ ...issueTarget(this.#target), ...extra }) as never
  }

  get pullRequest(): BotMethods['pullRequest'] {
    return (extra?: object) => ({ ...pullRequestTarget(this.#target), ...extra }) as never
  }

  get changedFiles(): BotMethods['changedFiles'] {
    const read = async () => (await import('./bots/changed-files.ts')).changedFiles(this.#botContext)
    return () => (this.#changedFiles ??= read())
  }

  get config(): BotMethods['config'] {
    return async (...given: [file: string, schema?: StandardSchemaV1, options?: ConfigOptions]) =>
      (await import('./bots/config.ts')).readConfig(this.#botContext, ...given) as never
  }

  get check(): BotMethods['check'] {
    return async (...given) => (await import('./bots/check.ts')).runCheck(this.#botContext, ...given)
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#abortReason) this.#abort.abort(this.#abortReason)
    }
    return this.#abort.signal
  }

  get log(): DeliveryLogger {
    return deliveryLogger(this.#sources.logger, logFields(this))
  }

  /** A getter, so that the method also works when it is destructured. The same for the other methods. */
  get octokit(): () => Promise<DeliveryOctokit> {
    return withoutRest(() => (this.#octokit ??= withoutRest(this.#sources.octokits(this, this.#priority))))
  }

  get body(): () => Promise<BodyBytes> {
    return () => this.#sources.readBody() as Promise<BodyBytes>
  }

  get #target(): TargetSource {
    return { event: this.event, action: this.action, members: this.#members }
  }

  get #botContext(): BotContext {
    const octokitUntil = (signal: AbortSignal) => this.octokitUntil(signal) as Promise<BotOctokit>
    return { ...this.#target, octokit: this.octokit as () => Promise<BotOctokit>, octokitUntil, delivery: this }
  }

  /** An Octokit with the credentials of `octokit()`. Its requests end with `signal`, and not with the attempt. */
  octokitUntil(signal: AbortSignal): Promise<DeliveryOctokit> {
    const get = (target: this, name: string | symbol) => (name === 'signal' ? signal : Reflect.get(target, name))
    return this.#sources.octokits(new Proxy(this, { get }), this.#priority)
  }

  /** The runner calls this before it calls a handler: without an inbox, the handlers get the same object in turn. */
  beginAttempt({ name, options: { priority } }: AttemptHandler, isLastAttempt: boolean): void {
    this.#handler = name
    if (priority !== this.#priority) this.#octokit = undefined
    this.#priority = priority
    this.#isLastAttempt = isLastAttempt
  }

  /** Aborts `signal`. A handler that accesses `signal` only after this call gets an aborted signal. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#abort?.abort(reason)
  }
}

// biome-ignore lint/suspicious/noTsIgnore: the package may be missing where this is compiled
/** @ts-ignore: `any` if the package is missing. A doc comment, because declaration files keep no other comments. */
type Installed = import('octokit').Octokit

/** The part of `Octokit` that is declared here, for programs without the package. */
export interface AnyOctokit {
  request(route: string, parameters?: Record<string, unknown>): Promise<{ status: number; data: unknown }>
}

/**
 * The types that your program registers, by module augmentation. `octokit` is the type of the Octokits that the class
 * in the option `octokit` creates:
 *
 * ```ts
 * declare module 'hookserver' {
 *   interface Register {
 *     octokit: InstanceType<typeof MyOctokit>
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs add members
export interface Register {}

/**
 * The result of `delivery.octokit()` and `hooks.octokit()`: the type in `Register`, else the `Octokit` of the package
 * `octokit`. If the package is not installed, the type is `AnyOctokit`, and the call rejects. TypeScript gives a missing
 * module the type `any`. Every string is a key of `any`. Other tests for `any` do not work here.
 */
export type DeliveryOctokit = Register extends { octokit: infer Registered }
  ? Registered
  : string extends keyof Installed
    ? AnyOctokit
    : Installed

/**
 * The class `Octokit` of the package `octokit`, or a class that its `plugin()` or `defaults()` returns. A structural
 * type, for programs without the package.
 */
export interface OctokitClass {
  new (options?: object): AnyOctokit
  plugin(...plugins: never[]): unknown
  defaults(defaults: object): unknown
}

/** Makes `delivery.octokit.rest` and `delivery.octokit().rest` an error that names the missing call or `await`. */
function withoutRest<Target extends object>(target: Target): Target {
  return Object.defineProperty(target, 'rest', {
    configurable: true,
    get() {
      throw new TypeError('delivery.octokit() returns a promise: use (await delivery.octokit()).rest')
    },
  })
}
