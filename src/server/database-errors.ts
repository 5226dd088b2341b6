/** Why a database cannot be used, and what to do. The errors are those of PostgreSQL, of `pg` and of the connection. */
import { causesOf } from '../runtime/cause-text.ts'
import { shownDatabase } from './config/database-settings.ts'

/** An error that says which database failed, why and, if known, what to do. */
export function explained(cause: Error, database: string): Error {
  const cure = cureOf(cause)
  return new Error(`${shownDatabase(database)}: ${reasonOf(cause)}${cure ? `: ${cure}` : ''}`, { cause })
}

export const noAnswer = 'check that the host is running and that no firewall blocks the connection'
const certificate =
  'its certificate is signed by an unknown authority: add ?sslmode=verify-full&sslrootcert=/path/ca.pem to the URL'

/** What to do, by the error code of the system, TLS or PostgreSQL (PostgreSQL manual, appendix A). */
export const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'no server listens there: start PostgreSQL, or correct the host and port; check listen_addresses in postgresql.conf',
  ECONNRESET:
    'the server closed the connection: check that this is the port of PostgreSQL, or of a proxy that can reach it',
  ENOENT: 'the socket or certificate does not exist: start PostgreSQL, or correct the path',
  ENOTFOUND: 'correct the host name',
  EAI_AGAIN: 'the host name cannot be resolved at the moment: try again, or fix the DNS',
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: 'there is no route to the host: check the network',
  ENETUNREACH: 'there is no route to the host: check the network',
  '25006':
    'the server is a standby or read-only: connect to the primary server, or set default_transaction_read_only to off',
  '28P01': 'correct the user or password, in the URL, in PGPASSWORD, or in the file of --database-url-file',
  '28000':
    'pg_hba.conf of the server does not allow this user or host; if it requires TLS, add ?sslmode=verify-full to the URL',
  '3D000': 'create the database with createdb, or correct its name in the URL',
  '42501': 'grant the permission, or use another user',
  '53300': 'lower --database-connections, or raise max_connections in PostgreSQL',
  '55P03': 'an open transaction holds a lock on a table: find its client in pg_stat_activity and end the transaction',
  '57P03': 'the server is starting or stopping: try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name: use that name in the URL',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew the certificate',
}

/**
 * Errors that may be temporary: PostgreSQL is starting, the network or the DNS is down, or other programs have all
 * connections or a lock. `ENOTFOUND` is none of them, because it usually means a mistyped name.
 */
export const temporary: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
  ...['53300', '55P03', '57P03'],
])

export const isTemporary = (error: unknown): boolean => codesOf(error).some((code) => temporary.has(code))

/** What to do about an error of PostgreSQL or of the connection. `undefined` for an unknown error. */
export function cureOf(error: unknown): string | undefined {
  return codesOf(error)
    .map((code) => cures[code])
    .find((cure) => cure !== undefined)
}

/**
 * The message of the deepest cause, which is an error of PostgreSQL or the system. Without a message, its code: if a
 * host has several addresses and none can be reached, the error of Node.js has only a code.
 */
export function reasonOf(error: Error): string {
  const deepest = errorsOf(error).at(-1) ?? error
  return deepest.message || (deepest as { code?: string }).code || deepest.name
}

/** The codes of an error and all its causes. */
const codesOf = (error: unknown): string[] => errorsOf(error).map((one) => codeOf(one) ?? '')

/** `pg` sets no code if the server, or a proxy in front of it, closes the connection. */
function codeOf({ code, message }: Error & { code?: string }): string | undefined {
  return code === undefined && message === 'Connection terminated unexpectedly' ? 'ECONNRESET' : code
}

const errorsOf = (error: unknown): Error[] => causesOf(error).filter((one) => one instanceof Error)
