/** How to connect to a database. Can be sent to a thread. */
export interface ConnectionTarget {
  connectionString?: string | undefined
  host?: string | undefined
  port?: number | undefined
  database?: string | undefined
  user?: string | undefined
  password?: string | undefined
  ssl?: unknown
}

/** The part of a pool of `pg` that we need. Structural, because `pg` is optional and may be installed twice. */
export interface PoolLike {
  options: object
}

/**
 * The parts of a PostgreSQL URL. `undefined` for any other text, and for a URL in which a part of the password ends up
 * in the host, the path or the query, or cannot be decoded.
 */
export function parsePostgresUrl(text: string): URL | undefined {
  if (!/^postgres(ql)?:\/\//.test(text) || text !== text.trim()) return undefined
  const url = URL.parse(text)
  if (!url || url.hash || /@/.test(url.host + url.pathname + url.search)) return undefined
  try {
    decodeURIComponent(url.username + url.password + url.pathname)
    return url
  } catch {
    return undefined
  }
}

/** How to write special characters of a password in a URL. */
export const passwordEncoding = '@ : / ? # % in a password are written as %40 %3A %2F %3F %23 %25'

/** @throws {TypeError} if it is neither a URL nor a pool. The error shows no part of the value, which may be a password. */
export function toTarget(target: string | PoolLike): ConnectionTarget {
  if (typeof target === 'string' && parsePostgresUrl(target)) return { connectionString: target }
  const options = (target as Partial<PoolLike> | null)?.options
  if (typeof target === 'string' || typeof options !== 'object' || options === null) {
    const expected = `postgres://user:password@host:port/database, where ${passwordEncoding}, or a pool of pg`
    throw new TypeError(`postgres(target): expected ${expected}`)
  }
  const { connectionString, host, port, database, user, password, ssl } = options as Record<string, never>
  if (typeof password === 'function') {
    throw new TypeError(
      'postgres(pool): its password is a function, which the thread that sends heartbeats cannot call',
    )
  }
  return { connectionString, host, port, database, user, password, ssl: ownSsl(ssl) }
}

/** Options for `pg`, with a copy of `ssl`: `pg` makes its key non-enumerable, so a later copy would lack it. */
export function toPgConfig(target: ConnectionTarget): object {
  const { ssl } = target
  return typeof ssl === 'object' && ssl !== null ? { ...target, ssl: { ...ssl } } : target
}

/**
 * A copy of `ssl` that can be sent to a thread, including the key, which a pool makes non-enumerable.
 * @throws {TypeError} if it contains a function, which cannot be sent.
 */
function ownSsl(ssl: unknown): unknown {
  if (typeof ssl !== 'object' || ssl === null) return ssl
  const { key } = ssl as { key?: unknown }
  const own = { ...ssl, ...(key !== undefined && { key }) }
  const named = Object.entries(own).find(([, value]) => typeof value === 'function')?.[0]
  if (named === undefined) return own
  throw new TypeError(
    `postgres(pool): its ssl.${named} is a function, which the thread that sends heartbeats cannot call`,
  )
}
