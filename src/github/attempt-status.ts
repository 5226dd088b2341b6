/**
 * The result of an attempt, from the `status` of GitHub's delivery log. This is free text, and since 2026 the text of
 * an error may contain the whole URL of the webhook. The URL may hold a secret, so it is removed.
 */

export interface AttemptStatus {
  /**
   * `OK`, `Invalid HTTP Response: 503`, `timed out`, `connection refused`, `connection lost`, `host not found`, `TLS
   * error`, or another text of GitHub without addresses, such as `failed to connect to host`.
   */
  status: string
  /**
   * The HTTP status of the receiver; `undefined` if the receiver did not answer. GitHub's `status_code` is then 500, and
   * was 502 or 504 before 2026.
   */
  statusCode: number | undefined
}

/**
 * The reasons why there is no answer, by GitHub's texts. The texts of 2026 are errors of Go's HTTP client. GitHub's log
 * is known to have the texts for a timeout and for `EOF`. The others are those of Go 1.25, which is an assumption.
 */
const failures: readonly [pattern: RegExp, status: string][] = [
  [/context deadline exceeded|Client\.Timeout|i\/o timeout|handshake timeout|^timed out$/, 'timed out'],
  [/connection refused/, 'connection refused'],
  [/no such host|server misbehaving/, 'host not found'],
  [/x509:|\btls:/, 'TLS error'],
  [/\bEOF\b|connection reset|broken pipe|server closed/, 'connection lost'],
]

/** The text of GitHub before 2026 for any connection that failed. */
const classicFailure = 'failed to connect to host'

/** Maximum characters of a text that none of the patterns matches. */
const maxLength = 200

export function attemptStatus(text: unknown, code: unknown): AttemptStatus {
  const given = typeof text === 'string' ? text : ''
  const known = failures.find(([pattern]) => pattern.test(given))
  if (known) return { status: known[1], statusCode: undefined }
  const statusCode = Number.isSafeInteger(code) ? (code as number) : undefined
  const status = withoutAddresses(given).slice(0, maxLength)
  if (status === classicFailure || /giving up after/.test(given)) return { status, statusCode: undefined }
  return { status: status || `status ${statusCode ?? 'unknown'}`, statusCode }
}

/** Removes addresses, and the part of a text of Go's client that only repeats method, address and tries. */
function withoutAddresses(text: string): string {
  const reason = text.replace(/^.* giving up after \d+ attempt\(s\): (?:\w+ "[^"]*": )?/s, '')
  return reason.replace(/\b[a-z][a-z\d+.-]*:\/\/[^\s"'<>]*/gi, '[address]').trim()
}
