/** Headers of an answer, as Octokit gives them. */
export type AnswerHeaders = Readonly<Record<string, string | number | undefined>>

/** How much may still be asked, as every answer says. */
export interface RateLimit {
  /** Calls an hour. */
  limit: number
  /** Those that are left. */
  left: number
  /** Milliseconds until it begins anew. */
  resetIn: number
}

/**
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api. By GitHub's clock: that of a laptop
 * may be anything.
 * @returns `undefined` of an answer that says nothing, such as those of most Enterprise Servers.
 */
export function rateLimitIn(headers: AnswerHeaders): RateLimit | undefined {
  const [limit, left, reset] = ['limit', 'remaining', 'reset'].map((name) => Number(headers[`x-ratelimit-${name}`]))
  if (limit === undefined || left === undefined || reset === undefined) return undefined
  if (![limit, left, reset].every(Number.isFinite)) return undefined
  const now = Date.parse(String(headers.date)) || Date.now()
  return { limit, left, resetIn: Math.max(0, reset * 1000 - now) }
}
