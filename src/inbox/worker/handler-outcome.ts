/** What becomes of an attempt: decided from what its handler returned or threw. */
import type { AttemptResult } from '../inbox.ts'
import { requestedDelay, retryDelay } from '../retry.ts'

export interface HandlerOutcome extends Pick<AttemptResult, 'outcome' | 'nextAt' | 'error' | 'result'> {
  /** The thrown value, for `onError`; the store gets `error`, its text. */
  thrown?: unknown
}

export interface FailureContext {
  /** Attempts that count against the limit, including this one. */
  attemptsUsed: number
  /** Maximum attempts. */
  attempts: number
  backoff: number | undefined
  now: number
}

export function successOutcome(returned: unknown): HandlerOutcome {
  return { outcome: 'succeeded', result: describe(returned) }
}

/** `Discard` ends the task at once, the last attempt ends it as dead, and any other failure is retried. */
export function failureOutcome(thrown: unknown, context: FailureContext): HandlerOutcome {
  const { attemptsUsed, attempts, backoff, now } = context
  const reason = safely(() => discardReason(thrown))
  if (reason !== undefined) return { outcome: 'discarded', error: truncate(reason), thrown }
  const error = truncate(describeError(thrown))
  if (attemptsUsed >= attempts) return { outcome: 'dead', error, thrown }
  const delay = safely(() => requestedDelay(thrown, now)) ?? retryDelay(attemptsUsed, backoff)
  return { outcome: 'failed', error, thrown, nextAt: Math.min(Math.round(now + delay), Number.MAX_SAFE_INTEGER) }
}

/** The outcome of a task whose last attempt was interrupted when its process died. */
export function attemptsExhausted(attempts: number): HandlerOutcome {
  const thrown = new Error(`All ${attempts} attempts are used up; the last one was interrupted when its process died`)
  return { outcome: 'dead', error: thrown.message, thrown }
}

/** The reason of a `Discard`, which may come from another copy of the package. */
function discardReason(thrown: unknown): string | undefined {
  const { name, message } = (thrown ?? {}) as Partial<Error>
  return name === 'Discard' ? String(message) : undefined
}

/** Characters stored of a returned or thrown value. */
const maxTextLength = 16_384

const truncate = (text: string): string => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)

function describe(returned: unknown): string | undefined {
  if (returned === undefined || returned === null) return undefined
  const text = () => (typeof returned === 'object' ? JSON.stringify(returned) : String(returned))
  return truncate(safely(text) ?? safely(() => Object.prototype.toString.call(returned)) ?? '[cannot be shown]')
}

/** The stack of an error and those of its causes, which may form a cycle; the text of any other value. */
function describeError(thrown: unknown, maxCauses: number = 10): string {
  const parts = safely(() => (thrown instanceof Error ? stackAndCause(thrown) : undefined))
  if (!parts) return `Thrown: ${describe(thrown) ?? String(thrown)}`
  const [text, cause] = parts
  return cause === undefined || maxCauses === 0 ? text : `${text}\nCaused by: ${describeError(cause, maxCauses - 1)}`
}

function stackAndCause({ name, message, stack, cause }: Error): [text: string, cause: unknown] {
  return [`${stack ?? `${name}: ${message}`}`, cause]
}

/** Reads from a value that a handler has thrown or returned; its getters may throw. */
function safely<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
