export interface LocalGitHubOptions {
  /** What `/meta` lists under `hooks`. Default: GitHub's documented ranges of the time of writing. */
  hooks?: readonly string[]
  /** A token that may do everything; `addToken()` makes others. Default: none. */
  token?: string
  /** How much may be asked. Default: as GitHub; nothing is limited with `enterprise`, as is the default there. */
  limits?: LocalGitHubLimits
  /** Holds clients to GitHub's advice, too: a second between two requests of one caller that write. Default: `false`. */
  strict?: boolean
  /**
   * Plays a GitHub Enterprise Server: the API under `/api/v3`, its headers, 7 days of deliveries and 30 s for each.
   * A text is the version. Default: `false`.
   */
  enterprise?: boolean | string
  /** Milliseconds that a receiver has to answer a delivery. Default: 10 000, and 30 000 with `enterprise`. */
  timeout?: number
}

export interface LocalGitHubLimits {
  /** Requests an hour without a token. Default: 60. */
  anonymous?: number
  /** Requests an hour for each token, installation and App. Default: 5000. */
  authorized?: number
  /** The secondary limit: points a minute of one caller. Reading costs 1, writing 5. Default: 900. */
  points?: number
  /** How a request beyond the hour's is refused; GitHub does both. Default: 403. */
  status?: 403 | 429
}

/** A request that came. */
export interface LocalGitHubRequest {
  method: string
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** The JSON that it carried. */
  body?: unknown
  /** What it was answered; 0 for one that was left hanging or cut. */
  status: number
}

/** What to do in place of an answer: a status with headers, silence, or a cut connection. */
export type Failure = { status: number; headers?: Record<string, string>; body?: unknown } | 'hang' | 'cut'

/** What GitHub's documentation named when this was written. */
export const documentedRanges: readonly string[] = [
  '192.30.252.0/22',
  '185.199.108.0/22',
  '140.82.112.0/20',
  '143.55.64.0/20',
  '2a0a:a440::/29',
  '2606:50c0::/32',
]
