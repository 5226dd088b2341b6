import { type DeliveryFailure, isSuccess, type Outcome } from '../world/delivery.ts'

/** The texts for attempts without an answer. `current`: since 2026. `classic`: before, and sometimes still. */
export type StatusTexts = 'current' | 'classic'

/** Why there is no answer. `cause` is the error text of GitHub's HTTP client. */
export interface NoAnswer {
  failure: DeliveryFailure
  cause: string
}

/** The outcome of an attempt that was answered. */
export function answered(statusCode: number, response: Outcome['response']): Outcome {
  const status = isSuccess(statusCode) ? 'OK' : `Invalid HTTP Response: ${statusCode}`
  return { status, statusCode, failure: undefined, response }
}

/**
 * The outcome of an attempt without an answer. GitHub documents the classic texts, and some more for refused connections
 * and certificates. Of the current texts, those for a timeout and for a closed connection (EOF) are known from GitHub's
 * API. The others are an assumption: the known ones are those of an HTTP client in Go, and so these are Go's, too.
 * @param url Where the attempt was sent. The current texts contain all of it, including the query.
 */
export function unanswered(texts: StatusTexts, url: string, { failure, cause }: NoAnswer): Outcome {
  const common = { failure, response: { headers: {}, payload: null } }
  if (texts === 'current')
    return { ...common, status: `POST ${url} giving up after 1 attempt(s): Post "${url}": ${cause}`, statusCode: 500 }
  if (failure === 'timeout') return { ...common, status: 'timed out', statusCode: 504 }
  return { ...common, status: 'failed to connect to host', statusCode: 502 }
}

/** A failure of an attempt that was never sent, with the most common cause. */
export function typicalFailure(failure: DeliveryFailure, url: string): NoAnswer {
  const { hostname, port, protocol } = new URL(url)
  const causes: Record<DeliveryFailure, string> = {
    timeout: timedOut.cause,
    closed: closed.cause,
    unreachable: `dial tcp ${hostname}:${port || (protocol === 'https:' ? 443 : 80)}: connect: connection refused`,
    unresolved: `dial tcp: lookup ${hostname}: no such host`,
    tls: unverified(unknownAuthority),
  }
  return { failure, cause: causes[failure] }
}

export const timedOut: NoAnswer = {
  failure: 'timeout',
  cause: 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
}

const closed: NoAnswer = { failure: 'closed', cause: 'EOF' }

/** An error of Node.js. `AggregateError` has one error for each address of the host. */
interface SocketError {
  code?: string
  syscall?: string
  hostname?: string
  address?: string
  port?: number
  host?: string
  cert?: { subjectaltname?: string }
  errors?: readonly SocketError[]
}

/**
 * Translates an error of Node.js into that of GitHub's HTTP client. An error without a translation counts as a closed
 * connection, because in most cases the receiver closed the connection during the request.
 */
export function noAnswerOf(thrown: unknown): NoAnswer {
  const error = thrown as SocketError
  const { code = '', syscall, hostname, address = '', port } = error.errors?.[0] ?? error
  if (syscall === 'getaddrinfo') return { failure: 'unresolved', cause: `dial tcp: lookup ${hostname}: no such host` }
  if (syscall === 'connect') {
    const target = `${address.includes(':') ? `[${address}]` : address}:${port}`
    return { failure: 'unreachable', cause: `dial tcp ${target}: connect: ${connectErrors[code] ?? code}` }
  }
  const cause = tlsCause(code, error)
  return cause === undefined ? closed : { failure: 'tls', cause }
}

const connectErrors: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
}

const unknownAuthority = 'certificate signed by unknown authority'
const expired = 'certificate has expired or is not yet valid'
const certificateErrors: Record<string, string> = {
  CERT_HAS_EXPIRED: expired,
  CERT_NOT_YET_VALID: expired,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  INVALID_PURPOSE: 'certificate specifies an incompatible key usage',
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
}

const unverified = (reason: string): string => `tls: failed to verify certificate: x509: ${reason}`

function tlsCause(code: string, { host, cert }: SocketError): string | undefined {
  const reason = certificateErrors[code]
  if (reason !== undefined) return unverified(reason)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = (cert?.subjectaltname ?? '').replaceAll(/(?:DNS|IP Address):/g, '')
    return unverified(`certificate is valid for ${names}, not ${host}`)
  }
  return /^EPROTO$|^ERR_SSL_/.test(code) ? 'tls: first record does not look like a TLS handshake' : undefined
}
