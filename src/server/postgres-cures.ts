export const noAnswer = 'a firewall may be in between, or the host is off'

/** By the codes of the system, of TLS and of PostgreSQL (its manual, appendix A). */
export const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nobody listens there: start PostgreSQL, or correct host and port; listen_addresses says where it listens',
  ECONNRESET: 'it hung up: is that the port of PostgreSQL?',
  ENOENT: 'there is no such socket: start PostgreSQL, or correct the folder; of a certificate, correct its path',
  ENOTFOUND: 'correct the name of the host',
  EAI_AGAIN: 'the name of the host cannot be looked up now: try again, or mend the DNS',
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: 'there is no way to that host from here',
  ENETUNREACH: 'there is no way to that host from here',
  '28P01': 'correct user and password: in the address, in PGPASSWORD, or in a file with --database-url-file',
  '28000':
    'pg_hba.conf of the server does not let this user in from here; if it asks for TLS, add ?sslmode=verify-full to the address',
  '3D000': 'make it: createdb; or correct the name at the end of the address',
  '42501': 'grant it, or name another user',
  '53300': 'have fewer with --database-connections, or allow more in PostgreSQL (max_connections)',
  '55P03': 'a transaction that somebody has left open holds a table: end it; pg_stat_activity shows whose it is',
  '57P03': 'it is starting or stopping: try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate(),
  SELF_SIGNED_CERT_IN_CHAIN: certificate(),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate(),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate(),
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use that in the address',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
}

function certificate(): string {
  return 'nobody known has signed its certificate: name who did, ?sslmode=verify-full&sslrootcert=/path/ca.pem'
}

/** Of these it may recover without anybody: it is starting, or the network is away, of which DNS is a part. */
export const passing: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
  '57P03',
])

export const isPassing = (error: unknown): boolean => codesOf(error).some((code) => passing.has(code))

/** What to do about an error of PostgreSQL, or of the way there, if that is known. */
export function cureOf(error: unknown): string | undefined {
  return codesOf(error)
    .map((code) => cures[code])
    .find((cure) => cure !== undefined)
}

/** What PostgreSQL says, or the system. Of several addresses that were tried there is no text, but a code. */
export function reasonOf(error: Error): string {
  let beneath = error
  while (beneath.cause instanceof Error) beneath = beneath.cause
  return beneath.message || (beneath as { code?: string }).code || beneath.name
}

/** Of an error and all that lies beneath it. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) codes.push((one as { code?: string }).code ?? '')
  return codes
}
