/**
 * The options of `Hooks`, documented. `settings.ts` has the check and the default of each, and `scripts/options-docs.ts`
 * writes the tables of `docs/options.md` from both.
 */
import type { AppOptions } from './app.ts'
import type { Delivery } from './delivery.ts'
import type { HashName } from './http.ts'
import type { Inbox } from './inbox/inbox.ts'
import type { Logger } from './telemetry/logger.ts'

/** A string is used as its UTF-8 bytes. Never empty. */
export type Secret = string | Uint8Array

/** The result of a secret resolver. `null` and `undefined` mean that there is no secret for these headers. */
export type ResolvedSecret = Secret | readonly Secret[] | { secret: Secret | readonly Secret[]; id?: string }
export type SecretResolver = (
  headers: Readonly<Record<string, string | undefined>>,
) => ResolvedSecret | null | undefined | Promise<ResolvedSecret | null | undefined>

// biome-ignore lint/suspicious/noExplicitAny: the type of the framework's request, which only the user knows
export type ClientAddressFunction = (request: any, ...platform: any[]) => string | undefined
export type ClientAddress = ClientAddressFunction | 'framework' | 'cloudflare' | 'deno' | 'bun'

/** Options of `new Hooks(options)`, and of every mount, where they override those of the `Hooks`. */
export interface HooksOptions {
  /**
   * The webhook's secret: a non-empty string, used as UTF-8, or bytes. A list accepts each of its secrets. A function
   * gets the headers and returns the secret.
   * @default the environment variable `GITHUB_WEBHOOKS_KEY`, else `SECRET_KEY`
   * @example secret: ['new', 'old']
   */
  secret?: Secret | readonly Secret[] | SecretResolver | undefined
  /**
   * Whether the signature is checked.
   * @default `true`
   * @example validateSignature: false
   */
  validateSignature?: boolean | undefined
  /**
   * The accepted signatures. If `X-Hub-Signature-256` is present, it alone counts; otherwise `X-Hub-Signature` (sha1)
   * does, which old GitHub Enterprise Servers send.
   * @default `['sha256', 'sha1']`
   * @example signatureAlgorithms: ['sha256']
   */
  signatureAlgorithms?: readonly HashName[] | undefined
  /**
   * `true` rejects requests from addresses outside `ranges`, `'warn'` only logs them, `false` disables the check.
   * @default `true`
   * @example validateIp: 'warn'
   */
  validateIp?: boolean | 'warn' | undefined
  /**
   * The trusted proxies: CIDRs, `'loopback'`, `'private'`, `'unix'`, one of these or a list; or the number of hops.
   * @default `[]`
   * @example trustProxy: ['loopback', '10.1.0.0/16']
   */
  trustProxy?: string | readonly string[] | number | undefined
  /**
   * The header in which trusted proxies report the client. `'forwarded'` is RFC 7239.
   * @default `'x-forwarded-for'`
   * @example forwardedHeader: 'forwarded'
   */
  forwardedHeader?: 'x-forwarded-for' | 'forwarded' | undefined
  /**
   * The source of the client's address: a function of the framework's request, `'framework'` (Express, Fastify, Koa),
   * `'cloudflare'` (the header `CF-Connecting-IP`), `'deno'` or `'bun'` (`hookserver/web`).
   * @default the connection
   * @example clientAddress: 'cloudflare'
   */
  clientAddress?: ClientAddress | undefined
  /**
   * The addresses that may send: a list of CIDRs and addresses, or a function that returns one and is called once an hour.
   * @default those of GitHub, from `/meta`
   * @example ranges: ['10.20.30.40']
   */
  ranges?: readonly string[] | (() => readonly string[] | Promise<readonly string[]>) | undefined
  /**
   * The address of GitHub's API; https, or http on loopback.
   * @default `'https://api.github.com'`
   * @example apiUrl: 'https://HOST/api/v3'
   */
  apiUrl?: string | undefined
  /**
   * The token for `/meta`, and for `delivery.octokit()` where no App is used.
   * @default the environment variable `GITHUB_TOKEN`, for `https://api.github.com` only
   * @example token: process.env.MY_TOKEN
   */
  token?: string | undefined
  /**
   * The GitHub App that `delivery.octokit()` authenticates as: `id`, its App ID or client ID, and `privateKey`, the PEM
   * text, in which `\n` may stand for line breaks, or the path of its file.
   * @default the environment variables `GITHUB_APP_ID` and `GITHUB_APP_PRIVATE_KEY`
   * @example app: { id: 123456, privateKey: 'bot.pem' }
   */
  app?: AppOptions | undefined
  /**
   * The path of deliveries, after the framework's prefix and without the query; `false` if a router has chosen already.
   * @default `'/hooks'`
   * @example url: '/github/webhooks'
   */
  url?: string | false | undefined
  /**
   * The name of this mount in `delivery.source`.
   * @default the mount's `url`, or `''` if that is `false`
   * @example source: 'my-app'
   */
  source?: string | undefined
  /**
   * The maximum size of a payload in bytes, up to 536870912. The body of a form may be twice as large.
   * @default 26214400 (25 MiB, GitHub's own limit)
   * @example bodyLimit: 1024 * 1024
   */
  bodyLimit?: number | undefined
  /**
   * Bytes of request bodies in memory, over all mounts with the same limit; half of it is for bodies above 1 MiB. The rest
   * of a body waits unread until there is memory, and the body is rejected with 503 `overloaded` after `timeout`.
   * @default 67108864 (64 MiB)
   * @example inFlightLimit: 256 * 1024 * 1024
   */
  inFlightLimit?: number | undefined
  /**
   * Milliseconds from a request's arrival to its reply. GitHub hangs up after 10 s, GitHub Enterprise Server after 30 s.
   * Handlers that run from an inbox have an option of their own.
   * @default 9000
   * @example timeout: 5000
   */
  timeout?: number | undefined
  /**
   * Where deliveries are stored before the reply. Handlers run after it, and again until they succeed. Without an inbox,
   * handlers run before the reply.
   * @default none
   * @example inbox: sqlite('hookserver.db')
   */
  inbox?: Inbox | undefined
  /**
   * Whether this process runs the handlers of the inbox, from the first mount on. With `false` it does so after
   * `hooks.work()`, if that is called.
   * @default `true`
   * @example work: false
   */
  work?: boolean | undefined
  /**
   * Whether deliveries of an inbox end `ignored` while no handler is registered; otherwise they wait for the first.
   * @default `false`
   * @example capture: true
   */
  capture?: boolean | undefined
  /**
   * Bytes of memory that the payloads of running handlers may use in this process, estimated from their bodies. A quarter
   * is reserved for payloads up to 1 MiB. Other deliveries wait, and a delivery that exceeds the limit runs alone.
   * @default 268435456 (256 MiB)
   * @example runningLimit: 1024 ** 3
   */
  runningLimit?: number | undefined
  /**
   * The treatment of a body that arrived before under another GUID or event: `'run'` handles it, with
   * `delivery.replayed`, `'discard'` does not.
   * @default `'run'`
   * @example onReplay: 'discard'
   */
  onReplay?: 'run' | 'discard' | undefined
  /**
   * Called with the error and the delivery when a delivery of the inbox has ended `dead`.
   * @default none
   * @example onDead: (error, delivery) => page(delivery.guid, error)
   */
  onDead?: ((error: unknown, delivery: Delivery) => unknown) | undefined
  /**
   * Called with the error and the delivery when a handler fails or does not finish in time, with an inbox for each
   * attempt. Not called for rejected requests.
   * @default none
   * @example onError: (error, delivery) => report(error, delivery.guid)
   */
  onError?: ((error: unknown, delivery: Delivery) => unknown) | undefined
  /**
   * A logger like pino's: `warn(fields, message)` and `error`, optionally `info` and `debug`. `false` disables logging.
   * @default warnings and errors to the console
   * @example logger: pino()
   */
  logger?: Logger | false | undefined
}
