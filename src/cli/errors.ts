/** What was asked for cannot be understood: ends with 2. */
export class UsageError extends Error {}

/** An error with all that lies beneath: what `fetch` fails with says no more than that it failed. */
export function withCauses(error: unknown): string {
  const texts: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) {
    const { code } = one as { code?: string }
    const text = one.message || code || '' // where several addresses were tried, the message is empty
    if (text !== 'fetch failed') texts.push(text)
  }
  return texts.filter((text) => text !== '').join(': ') || String(error)
}
