export const noAnswer = 'a firewall may be in between, or the host is off'

/** What to do, by the error codes of the system, of TLS and of PostgreSQL (its manual, appendix A). */
export const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'no server listens there: start PostgreSQL, or correct host and port; listen_addresses says where it listens',
  ECONNRESET: 'it closed the connection: is that the port of PostgreSQL?',
  ENOENT: 'there is no such socket: start PostgreSQL, or correct the folder; of a certificate, correct its path',
  ENOTFOUND: 'correct the name of the host',
  EAI_AGAIN: 'the name of the host cannot be resolved now: try again, or repair the DNS',
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: 'there is no route to that host from here',
  ENETUNREACH: 'there is no route to that host from here',
  '28P01': 'correct user and password: in the address, in PGPASSWORD, or in a file with --database-url-file',
  '28000':
    'pg_hba.conf of the server does not allow this user from here; if it requires TLS, add ?sslmode=verify-full to the address',
  '3D000': 'create it: createdb; or correct the name at the end of the address',
  '42501': 'grant it, or use another user',
  '53300': 'use fewer with --database-connections, or allow more in PostgreSQL (max_connections)',
  '55P03': 'an open transaction holds a lock on a table: end it; pg_stat_activity shows its client',
  '57P03': 'it is starting or stopping: try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate(),
  SELF_SIGNED_CERT_IN_CHAIN: certificate(),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate(),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate(),
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use that in the address',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
}

function certificate(): string {
  return 'an unknown authority has signed its certificate: name it, ?sslmode=verify-full&sslrootcert=/path/ca.pem'
}

/** Errors that may end without an operator: PostgreSQL is starting, or the network or the DNS is down. */
export const temporary: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
  '57P03',
])

export const isTemporary = (error: unknown): boolean => codesOf(error).some((code) => temporary.has(code))

/** What to do about an error of PostgreSQL or of the connection to it, if we know. */
export function cureOf(error: unknown): string | undefined {
  return codesOf(error)
    .map((code) => cures[code])
    .find((cure) => cure !== undefined)
}

/** The message of PostgreSQL or the system. An error for several addresses has no message, but a code. */
export function reasonOf(error: Error): string {
  let deepest = error
  while (deepest.cause instanceof Error) deepest = deepest.cause
  return deepest.message || (deepest as { code?: string }).code || deepest.name
}

/** The codes of an error and all its causes. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) codes.push((one as { code?: string }).code ?? '')
  return codes
}
