import type { AppOptions } from './app.ts'
import type { Delivery } from './delivery.ts'
import type { HashName } from './http.ts'
import type { Inbox } from './inbox/inbox.ts'
import type { Logger } from './logger.ts'

/** Text is used as its UTF-8 bytes. Never empty. */
export type Secret = string | Uint8Array

/** What a secret resolver may give; nothing means that there is no secret for these headers. */
export type ResolvedSecret = Secret | readonly Secret[] | { secret: Secret | readonly Secret[]; id?: string }
export type SecretResolver = (
  headers: Readonly<Record<string, string | undefined>>,
) => ResolvedSecret | null | undefined | Promise<ResolvedSecret | null | undefined>

/** Options of `new Hooks(options)` and of every mount, where they override the object's. `undefined` counts as not given. */
export interface HooksOptions {
  /**
   * The webhook's secret; a list while it is being rotated; or a function of the headers, which are unsigned.
   * Default: the environment variable `GITHUB_WEBHOOKS_KEY`, else `SECRET_KEY`. There is no other default.
   */
  secret?: Secret | readonly Secret[] | SecretResolver | undefined
  /** Whether the signature is checked. Default: `true`. */
  validateSignature?: boolean | undefined
  /** The signatures that count, strongest first. Default: `['sha256', 'sha1']`. */
  signatureAlgorithms?: readonly HashName[] | undefined
  /** `true` refuses requests from outside GitHub's addresses, `'warn'` only logs them, `false` does not look. Default: `true`. */
  validateIp?: boolean | 'warn' | undefined
  /** The proxies to believe: CIDRs, `loopback`, `private`, `unix`, or the number of hops. Default: `[]`, nobody. */
  trustProxy?: string | readonly string[] | number | undefined
  /** The one header in which trusted proxies report the client. Default: `'x-forwarded-for'`; `'forwarded'` is RFC 7239. */
  forwardedHeader?: 'x-forwarded-for' | 'forwarded' | undefined
  /** Where the client's address comes from. Default: the socket. A function gets the framework's request. */
  clientAddress?: ClientAddress | undefined
  /** The addresses that may send: a list of CIDRs or a function that gives one. Default: GitHub's, from `/meta`. */
  ranges?: readonly string[] | (() => readonly string[] | Promise<readonly string[]>) | undefined
  /** GitHub's API; for GitHub Enterprise Server `https://HOST/api/v3`. Default: `https://api.github.com`. */
  apiUrl?: string | undefined
  /**
   * Authorises the request for `/meta`, and `delivery.octokit()` where no App does. Default: the environment variable
   * `GITHUB_TOKEN`, for api.github.com only.
   */
  token?: string | undefined
  /**
   * The GitHub App that `delivery.octokit()` speaks for, in the installation that the delivery is from.
   * Default: the environment variables `GITHUB_APP_ID` and `GITHUB_APP_PRIVATE_KEY`.
   */
  app?: AppOptions | undefined
  /** The path of deliveries; `false` where a router has chosen already. Default: `'/hooks'`. */
  url?: string | false | undefined
  /** Bytes of payload; a form may be twice that on the wire. Default: 25 MiB, GitHub's own limit. */
  bodyLimit?: number | undefined
  /**
   * Bytes of bodies held in memory at once, over all requests; half of it for bodies above 1 MiB. What comes on top
   * waits unread, and is answered 503 `overloaded` when its time is over. Default: 64 MiB.
   */
  inFlightLimit?: number | undefined
  /** Milliseconds from a request's arrival to its reply. Default: 9000; GitHub hangs up at 10 s. */
  timeout?: number | undefined
  /** A name for what comes in through this mount, in `delivery.source`. Default: the mount's `url`. */
  source?: string | undefined
  /**
   * Where deliveries are stored before they are answered: `sqlite('hookserver.db')`. They are handled after that, and
   * again until they succeed. Default: none; handlers run before the answer.
   */
  inbox?: Inbox | undefined
  /** Whether this process handles what the inbox holds, from the first mount on. Default: `true`. */
  work?: boolean | undefined
  /**
   * Whether deliveries end `ignored` while there is no handler at all, to be retried once there is; otherwise they wait
   * for the first. Default: `false`.
   */
  capture?: boolean | undefined
  /**
   * Bytes of memory that the payloads of running handlers may take together in this process, as estimated from their
   * bodies; a quarter of it is reserved for payloads up to 1 MiB. Deliveries with larger payloads wait for one another,
   * and one that exceeds the limit runs alone. Memory is given back when the attempt ends. Default: 256 MiB.
   */
  runningLimit?: number | undefined
  /** What to do with bytes that came before under another GUID or event: genuine ones can be identical. Default: `'run'`. */
  onReplay?: 'run' | 'discard' | undefined
  /** Called for each delivery of an inbox that has ended `dead`. */
  onDead?: ((error: unknown, delivery: Delivery) => unknown) | undefined
  /** Called for each handler that fails. */
  onError?: ((error: unknown, delivery: Delivery) => unknown) | undefined
  /** Shaped like pino; `false` silences. Default: warnings and errors to the console. */
  logger?: Logger | false | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: the framework's own request type, which only the user knows
export type ClientAddressFunction = (request: any, ...platform: any[]) => string | undefined
export type ClientAddress = ClientAddressFunction | 'framework' | 'cloudflare' | 'deno' | 'bun'
