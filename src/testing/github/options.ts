import { type Duration, durationCheck, toMilliseconds } from '../../runtime/units.ts'
import type { StatusTexts } from './sending/outcome.ts'

/** The options of `LocalGitHub.start()`. */
export interface LocalGitHubOptions {
  /** The port on 127.0.0.1. Default: a free one. */
  port?: number
  /** The ranges under `hooks` in `/meta`. Default: GitHub's documented ranges at the time of writing. */
  hooks?: readonly string[]
  /** A token with all permissions that the routes require. `addToken()` makes other tokens. Default: none. */
  token?: string
  /** Rate limits. Default: those of GitHub. With `enterprise`: none, which is the default of an Enterprise Server. */
  limits?: LocalGitHubLimits
  /** Also enforces GitHub's advice: at least one second between two write requests of one caller. Default: `false`. */
  strict?: boolean
  /**
   * Acts as a GitHub Enterprise Server: the API under `/api/v3`, the headers of such a server, 7 days of deliveries with
   * smaller ids, 30 s for each delivery, and 250 webhooks for each event. A string is the version of the server. Default:
   * `false`.
   */
  enterprise?: boolean | string
  /**
   * The format of the tokens of installations: `stateless` is `ghs_APPID_JWT` with about 520 characters, and `stateful`
   * has 40 characters. The header `X-GitHub-Stateless-S2S-Token` of a request overrides this option. Default:
   * `stateless`, and `stateful` with `enterprise`, as on GitHub.
   */
  installationTokens?: 'stateless' | 'stateful'
  /** The time to wait for a receiver's answer. Default: 10 s, and 30 s with `enterprise`. */
  timeout?: Duration
  /**
   * The `status` of an attempt without an answer. `current` is a sentence with the URL of the webhook and the status code
   * 500, as GitHub has sent it since 2026. `classic` is `timed out` with 504, and `failed to connect to host` with 502.
   * Default: `current`.
   */
  statusTexts?: StatusTexts
  /**
   * The time by `clock` until the API shows an attempt that has ended. On GitHub, the lag is up to a few minutes.
   * Default: 0, because tests would otherwise have to advance the clock before they read a delivery.
   */
  logLag?: Duration
  /**
   * The time by `clock` until `GET /repos/{owner}/{repo}/pulls/{pull_number}` shows a new head of a pull request. On
   * GitHub, the API may be seconds behind the delivery of the push. Default: 0.
   */
  headLag?: Duration
  /**
   * Adds the header `x-poll-interval` with this time, in seconds, to lists of deliveries. GitHub documents the header for
   * other lists only. Default: no header.
   */
  pollInterval?: Duration
  /**
   * How many requests, and how many deliveries of each webhook, it keeps. It then deletes the oldest ones. Default: all,
   * because tests read them. Set it for a local GitHub that runs for long.
   */
  maxRecords?: number
}

/** The rate limits of the local GitHub. */
export interface LocalGitHubLimits {
  /** Requests an hour without a token. Default: 60. */
  anonymous?: number
  /**
   * Requests an hour for each user (with all tokens together), each installation and each App. Default: 5000. GitHub
   * allows an installation up to 12,500, depending on its size, and 15,000 on Enterprise Cloud. GitHub counts the token
   * of Actions for each repository, up to 1000. The local GitHub has no such tokens.
   */
  authorized?: number
  /** The secondary limit: points a minute for one caller. Reading costs 1, writing 5. Default: 900. */
  points?: number
  /** Status for a request beyond the hourly limit. GitHub uses both statuses. Default: 403. */
  status?: 403 | 429
  /**
   * Whether the answer to a request beyond a secondary limit (`points` or `strict`) has the header `retry-after`.
   * GitHub documents both answers. Default: `true`.
   */
  retryAfter?: boolean
}

/** A received request. */
export interface LocalGitHubRequest {
  /** Such as `GET`. */
  method: string
  /** The path of the URL, with its query. */
  path: string
  /** By their names in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** Its JSON body, or the fields of a form. */
  body?: unknown
  /** The status of the answer; 0 if the request has no answer yet, was left hanging or was cut. */
  status: number
}

/** A failure in place of an answer: a status with headers, no answer, or a cut connection. */
export type Failure = { status: number; headers?: Record<string, string>; body?: unknown } | 'hang' | 'cut'

/** Replaces an entry of the delivery log in the answers of the API. */
export interface EntryOverride {
  /** The item of lists: a JSON value, or a function that makes the value from the usual item. Default: the usual item. */
  listed?: string | number | boolean | object | null | ((entry: Record<string, unknown>) => unknown)
  /** Fails requests for the single delivery and for a redelivery of it, as `fail()` does. Default: the usual answers. */
  single?: Failure
}

/** @throws {TypeError} naming the option. */
export function readDuration(value: Duration, option: string): number {
  durationCheck({ min: 0 })(value, `Option "${option}"`)
  return toMilliseconds(value)
}

/** The ranges in GitHub's documentation at the time of writing. */
export const documentedRanges: readonly string[] = [
  '192.30.252.0/22',
  '185.199.108.0/22',
  '140.82.112.0/20',
  '143.55.64.0/20',
  '2a0a:a440::/29',
  '2606:50c0::/32',
]
