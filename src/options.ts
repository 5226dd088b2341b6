/**
 * The options of `Hooks`, with their documentation. `settings.ts` has the check and the default of each option.
 * `scripts/options-docs.ts` writes the tables of `docs/options.md` from the comments in this file, and compares each
 * `@default` with `settings.ts`.
 */
import type { AppOptions, AppResolver } from './app.ts'
import type { Delivery, OctokitClass } from './delivery.ts'
import type { HashName } from './http.ts'
import type { BasicStore, Inbox } from './inbox/inbox.ts'
import type { Duration, Size } from './runtime/units.ts'
import type { Logger } from './telemetry/logger.ts'

/** A string stands for its UTF-8 bytes. Never empty. */
export type Secret = string | Uint8Array

/** The secret or secrets that a secret resolver found. */
export type ResolvedSecret = Secret | readonly Secret[] | { secret: Secret | readonly Secret[]; id?: string }
/** Finds the secret for the headers of a request. `null` and `undefined` mean that there is none. */
export type SecretResolver = (
  headers: Readonly<Record<string, string | undefined>>,
) => ResolvedSecret | null | undefined | Promise<ResolvedSecret | null | undefined>

/** Parses the JSON text of a payload for handlers. */
export type PayloadParser = (json: string) => object

/** Returns the client's address from the framework's request, and from the other arguments that the platform passes. */
// biome-ignore lint/suspicious/noExplicitAny: the type of the framework's request, which only the user knows
export type ClientAddressFunction = (request: any, ...platform: any[]) => string | undefined
/** Where hookserver finds the address of the client: the values of the option `clientAddress`. */
export type ClientAddress = ClientAddressFunction | 'framework' | 'cloudflare' | 'deno' | 'bun'

/** A failed attempt of a handler, for `onError` and `onDead`. */
export interface HandlerFailure {
  /** The value that the handler threw. */
  readonly error: unknown
  /** The delivery that the handler got. */
  readonly delivery: Delivery
  /** The name of the handler. `undefined` if no handler was called, because the payload cannot be read. */
  readonly handler: string | undefined
  /** The number of the attempt, from 1. */
  readonly attempt: number
  /** When the next attempt may start. `undefined` if there is none. */
  readonly nextAttemptAt: Date | undefined
}

/** How a mount receives requests: the options of `hookserver(hooks, options)`. */
export interface MountOptions {
  /**
   * The webhook's secret: a text that is not blank, encoded as UTF-8, or bytes. With a list, a delivery may be signed with
   * any of the secrets. A function receives the request's headers and returns the secret.
   * @default the environment variable `GITHUB_WEBHOOKS_KEY`, else `SECRET_KEY`
   * @example secret: ['new', 'old']
   */
  secret?: Secret | readonly Secret[] | SecretResolver | undefined
  /**
   * Whether hookserver checks signatures.
   * @default `true`
   * @example validateSignature: false
   */
  validateSignature?: boolean | undefined
  /**
   * The accepted algorithms of signatures. With both, only `X-Hub-Signature-256` counts if the request has it.
   * Otherwise `X-Hub-Signature` (SHA-1) counts, which old GitHub Enterprise Servers send.
   * @default `['sha256', 'sha1']`
   * @example signatureAlgorithms: ['sha256']
   */
  signatureAlgorithms?: readonly HashName[] | undefined
  /**
   * `true` rejects requests from addresses outside `ranges`. `'warn'` accepts and logs such requests. `false` disables
   * the check.
   * @default `true`
   * @example validateIp: 'warn'
   */
  validateIp?: boolean | 'warn' | undefined
  /**
   * The proxies that hookserver trusts to report the client's address: a CIDR, `'loopback'`, `'private'`, `'unix'`, a
   * list of these, or the number of proxies in front of the server.
   * @default `[]`
   * @example trustProxy: ['loopback', '10.1.0.0/16']
   */
  trustProxy?: string | readonly string[] | number | undefined
  /**
   * The header in which trusted proxies report the client's address. `'forwarded'` is the header of RFC 7239.
   * @default `'x-forwarded-for'`
   * @example forwardedHeader: 'forwarded'
   */
  forwardedHeader?: 'x-forwarded-for' | 'forwarded' | undefined
  /**
   * Where hookserver finds the client's address: a function that receives the framework's request, `'framework'`
   * (Express, Fastify, Koa), `'cloudflare'` (the header `CF-Connecting-IP`), or `'deno'` or `'bun'` (`hookserver/web`).
   * @default the address of the connection
   * @example clientAddress: 'cloudflare'
   */
  clientAddress?: ClientAddress | undefined
  /**
   * The addresses that may send deliveries: a list of CIDRs and addresses, or a function that returns such a list.
   * hookserver calls the function about once an hour. It calls the function earlier if a request comes from an unknown
   * address and the last call is at least five minutes ago.
   * @default GitHub's ranges, from `/meta`
   * @example ranges: ['10.20.30.40']
   */
  ranges?: readonly string[] | (() => readonly string[] | Promise<readonly string[]>) | undefined
  /**
   * The path that receives deliveries, without the framework's prefix and without the query. hookserver resolves the
   * segments `.` and `..` (in Fastify, the router rejects them), and does not decode escapes such as `%2F`. `false`
   * accepts every path, for a router that has already matched the route.
   * @default `'/hooks'`
   * @example path: '/github/webhooks'
   */
  path?: string | false | undefined
  /**
   * The name of this mount, in `delivery.source`.
   * @default the mount's `path`, or `''` if `path` is `false`
   * @example source: 'my-app'
   */
  source?: string | undefined
  /**
   * The maximum size of a payload: bytes, or a text with a unit. At most 512 MiB. The body of a form may be twice as large.
   * @default 26214400 (25 MiB, GitHub's own limit)
   * @example bodyLimit: '1 MiB'
   */
  bodyLimit?: Size | undefined
  /**
   * The maximum size of all request bodies in memory: bytes, or a text with a unit. The mounts of one `Hooks` share
   * this memory if they have the same value of `bodyMemory`. Bodies above 1 MiB may use one half of this memory, and
   * smaller bodies the other half. When the memory is used up, hookserver stops reading bodies until memory is free. If
   * a body still waits for memory after `replyTimeout`, hookserver rejects the request with 503 `overloaded`.
   * @default 67108864 (64 MiB)
   * @example bodyMemory: '256 MiB'
   */
  bodyMemory?: Size | undefined
  /**
   * The maximum time from the arrival of a request to its reply: milliseconds, or a text with a unit. GitHub closes the
   * connection after 10 s, a GitHub Enterprise Server after 30 s. Handlers that run from an inbox have a `timeout` of
   * their own.
   * @default 9000
   * @example replyTimeout: '5s'
   */
  replyTimeout?: Duration | undefined
}

/**
 * The options of `new Hooks(options)`. Those of `MountOptions` are the defaults of each mount. The others apply to all
 * mounts and to the worker.
 */
export interface HooksOptions extends MountOptions {
  /**
   * The URL of GitHub's API. It must use https, or http on loopback.
   * @default `'https://api.github.com'`
   * @example apiUrl: 'https://HOST/api/v3'
   */
  apiUrl?: string | undefined
  /**
   * The token for `/meta`, and for `delivery.octokit()` and `hooks.octokit()` if no GitHub App applies.
   * @default the environment variable `GITHUB_TOKEN`, only for `https://api.github.com`
   * @example token: process.env.MY_TOKEN
   */
  token?: string | undefined
  /**
   * The GitHub App that `delivery.octokit()` and `hooks.octokit()` authenticate as. `id` is its App ID or client ID.
   * `privateKey` is the PEM text, which may contain `\n` instead of line breaks, or the path of its file. For several
   * Apps, a function gets the delivery and returns its App. `hooks.octokit()` then uses the option `token`.
   * @default the environment variables `GITHUB_APP_ID` and `GITHUB_APP_PRIVATE_KEY`
   * @example app: { id: 123456, privateKey: 'bot.pem' }
   */
  app?: AppOptions | AppResolver | undefined
  /**
   * The class of the Octokits that hookserver creates: the class `Octokit` of the package `octokit`, with your plugins
   * and defaults.
   * @default the class `Octokit` of the package `octokit`
   * @example octokit: Octokit.plugin(myPlugin)
   */
  octokit?: OctokitClass | undefined
  /**
   * Whether the Octokits space requests that write or search, as GitHub asks its clients.
   * @default `true` if `apiUrl` uses https, so not for a local GitHub
   * @example pacing: false
   */
  pacing?: boolean | undefined
  /**
   * A function that parses the JSON text of a payload for handlers, for example because `JSON.parse` rounds integers
   * above 2^53. It must return an object, not a list or a promise. hookserver itself reads payloads with `JSON.parse`.
   * @default `JSON.parse`
   * @example parsePayload: (json) => JSON.parse(json, reviver)
   */
  parsePayload?: PayloadParser | undefined
  /**
   * The store that commits deliveries before the reply. Handlers then run after the reply, and hookserver retries those
   * that fail. Without an inbox, handlers run before the reply.
   * @default none
   * @example inbox: sqlite('hookserver.db')
   */
  inbox?: Inbox | BasicStore | false | undefined
  /**
   * Whether this process runs handlers for the deliveries in the inbox. If `true`, the process starts to run handlers
   * when you create the first mount. If `false`, the process runs handlers only after a call of `hooks.work()`, or
   * during a call of `hooks.drain()`.
   * @default `true`
   * @example work: false
   */
  work?: boolean | undefined
  /**
   * The mounts whose deliveries this `Hooks` handles, by `delivery.source`. Needed if two `Hooks` share an inbox:
   * without it, each would handle the deliveries of the other. Give their handlers different names: a pause, the order of
   * tasks and the counts of the dashboard are by the name of the handler.
   * @default all
   * @example sources: ['/hooks']
   */
  sources?: readonly string[] | undefined
  /**
   * What happens to deliveries in the inbox while no handler at all is registered. `'wait'`: they wait until a handler
   * is registered. `'ignore'`: they end `ignored`.
   * @default `'wait'`
   * @example withoutHandlers: 'ignore'
   */
  withoutHandlers?: 'wait' | 'ignore' | undefined
  /**
   * With an inbox: the maximum memory for the payloads of running handlers in this process, estimated from the bodies:
   * bytes, or a text with a unit. A quarter is reserved for payloads that need at most 1 MiB. Larger payloads share the
   * other three quarters. Deliveries that do not fit wait. A payload that needs more than these three quarters waits
   * until no other payload that needs more than 1 MiB is in use. It then gets all the memory that it needs, even more
   * than `payloadMemory`.
   * @default 268435456 (256 MiB), or a quarter of the memory limit of the container if that is less
   * @example payloadMemory: '1 GiB'
   */
  payloadMemory?: Size | undefined
  /**
   * What hookserver does with a delivery in the inbox whose body arrived before with another GUID or event. `'run'`
   * runs its handlers, with `delivery.replayed` set to `true`. `'discard'` runs no handler.
   * @default `'run'`
   * @example replays: 'discard'
   */
  replays?: 'run' | 'discard' | undefined
  /**
   * A function that hookserver calls when a delivery in the inbox ends `dead`. It gets `{ error, delivery, handler,
   * attempt }`.
   * @default none
   * @example onDead: ({ error, delivery }) => page(delivery.guid, error)
   */
  onDead?: ((failure: HandlerFailure) => unknown) | undefined
  /**
   * A function that hookserver calls when a handler fails or does not finish in time. It gets `{ error, delivery,
   * handler, attempt, nextAttemptAt }`. With an inbox, hookserver calls it for each failed attempt. hookserver does not
   * call it for rejected requests.
   * @default none
   * @example onError: ({ error, handler }) => report(error, handler)
   */
  onError?: ((failure: HandlerFailure) => unknown) | undefined
  /**
   * A logger with pino's interface: `warn(fields, message)` and `error`, and optionally `info` and `debug`. `console`
   * prints all levels, with escapes for characters that control a terminal. `false` disables logging.
   * @default warnings and errors to the console
   * @example logger: pino()
   */
  logger?: Logger | false | undefined
}
