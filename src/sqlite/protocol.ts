/** What the threads and their caller say to each other. */

export type ThreadRole = 'writer' | 'keeper'

export interface ThreadSettings {
  role: ThreadRole
  path: string
  /** Milliseconds to wait for the lock of another process. */
  lockTimeout: number
  /** Milliseconds between heartbeats. */
  heartbeat: number
  /** Milliseconds. */
  retention: number
  /** Bytes. */
  maxSize: number
  /** Milliseconds. */
  vanishAfter: number
}

export interface Call {
  method: string
  args: unknown[]
}

/** The answers come in the order of the calls. */
export type Answer = { value: unknown } | { error: { message: string; code?: string; errcode?: number } }

/** A prelude is carried out and not answered. */
export type ToThread = { calls: Call[] } | { prelude: Call[] } | 'close'

export function failure(error: unknown): Answer {
  const { message, code, errcode } = error as { message: string; code?: string; errcode?: number }
  return { error: { message, ...(code !== undefined && { code }), ...(errcode !== undefined && { errcode }) } }
}
