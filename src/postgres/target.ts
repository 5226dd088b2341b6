/** How a process reaches its database. Can be sent to a thread. */
export interface Target {
  connectionString?: string | undefined
  host?: string | undefined
  port?: number | undefined
  database?: string | undefined
  user?: string | undefined
  password?: string | undefined
  ssl?: unknown
}

/**
 * What is needed of a pool of `pg`: how it connects. Told by its shape, since `pg` is there only for those who use it,
 * and may be there twice.
 */
export interface PoolLike {
  options: object
}

/** @throws {TypeError} for what is neither a URL nor a pool. */
export function targetOf(target: string | PoolLike): Target {
  if (typeof target === 'string' && /^postgres(ql)?:\/\//.test(target)) return { connectionString: target }
  const options = (target as Partial<PoolLike> | null)?.options
  if (typeof target === 'string' || typeof options !== 'object' || options === null) {
    throw new TypeError('postgres(target): expected postgres://user:password@host:port/database, or a pool of pg')
  }
  const { connectionString, host, port, database, user, password, ssl } = options as Record<string, never>
  if (typeof password === 'function') {
    throw new TypeError(
      'postgres(pool): its password is a function, which the thread that sends heartbeats cannot call',
    )
  }
  return { connectionString, host, port, database, user, password, ssl: ownSsl(ssl) }
}

/** What `pg` is given. Of an object `ssl` it gets a copy, since it hides the key in it from whoever copies it later. */
export function connectionOf(target: Target): object {
  const { ssl } = target
  return typeof ssl === 'object' && ssl !== null ? { ...target, ssl: { ...ssl } } : target
}

/**
 * What can be sent to the thread, which is what `{ ... }` copies: so the key, which a pool hides from that, is named.
 * @throws {TypeError} for what it cannot.
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
