/** The message of `fetch()` in Node.js for every failed connection. The reason is in its cause. */
const fetchFailed = 'fetch failed'
/** The causes of an error may form a circle. */
const maxDepth = 10

/** Why an error occurred: the message of its first cause that adds something to the message of the error. */
export function causeText(error: Error): string | undefined {
  let text: string | undefined
  let { cause } = error
  for (let depth = 0; cause !== undefined && depth < maxDepth; depth++) {
    const message = messageOf(cause)
    if (message !== undefined && message !== error.message) text = message
    if (text !== undefined && text !== fetchFailed) break
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return text
}

/** Node.js reports a host that it could reach at none of several addresses as an `AggregateError` without a message. */
function messageOf(cause: unknown): string | undefined {
  if (typeof cause === 'string') return cause
  if (!(cause instanceof Error)) return undefined
  const { errors } = cause as Partial<AggregateError>
  return cause.message || (errors && messageOf(errors[0]))
}
