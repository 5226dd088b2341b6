import type { Target } from './database.ts'

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
  return { connectionString, host, port, database, user, password, ssl }
}
