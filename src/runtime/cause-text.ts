/** The message of `fetch()` in Node.js for every failed connection. The reason is in its cause. */
const fetchFailed = 'fetch failed'

/** Why an error occurred: the message of its first cause that adds something to the message of the error. */
export function causeText(error: Error): string | undefined {
  let text: string | undefined
  for (const cause of causesOf(error.cause)) {
    const message = messageOf(cause)
    if (message !== undefined && message !== error.message) text = message
    if (text !== undefined && text !== fetchFailed) break
  }
  return text
}

/** An error and its causes, outermost first. The causes may form a cycle: each error is listed once. */
export function causesOf(error: unknown): unknown[] {
  const causes = new Set<unknown>()
  for (let one = error; one !== undefined && !causes.has(one); one = one instanceof Error ? one.cause : undefined) {
    causes.add(one)
  }
  return [...causes]
}

/**
 * The message of a cause. For an `AggregateError` without a message, the message of its first error. Node.js throws
 * such an `AggregateError` if a host has several addresses and none can be reached.
 */
function messageOf(cause: unknown): string | undefined {
  if (typeof cause === 'string') return cause
  if (!(cause instanceof Error)) return undefined
  const { errors } = cause as Partial<AggregateError>
  return cause.message || (errors && messageOf(errors[0]))
}
