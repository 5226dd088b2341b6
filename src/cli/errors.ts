import { printable } from './output.ts'

/** The command line cannot be understood. */
export class UsageError extends Error {}

/** The value of a flag or argument cannot be understood. */
export const invalidValue = (name: string, expected: string, text: string): UsageError =>
  new UsageError(`${name}: expected ${expected}, got ${JSON.stringify(text)}`)

/** A parser for a flag. It throws a {@link UsageError}. */
export const wholeNumber =
  (flag: string, max: number) =>
  (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number
    throw invalidValue(flag, `a whole number from 1 to ${max}`, text)
  }

export const exitCodes = { failed: 1, usage: 2 } as const

/** Prints an error. @returns The exit code for it. */
export function reportError(error: Error): number {
  for (const line of error.message.split('\n')) console.error(`hookserver: ${printable(line)}`)
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
}

/** The messages of an error and its causes: the message of `fetch` alone is "fetch failed". */
export function withCauses(error: unknown): string {
  const texts: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: string }
    const text = cause.message || code || '' // an AggregateError, of several addresses, has no message
    if (text !== 'fetch failed') texts.push(text)
  }
  return texts.filter((text) => text !== '').join(': ') || String(error)
}
