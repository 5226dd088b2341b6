import { UsageError } from '../errors.ts'

/** For a flag that takes a whole number. The function throws a {@link UsageError}. */
export const wholeNumber =
  (flag: string, most: number) =>
  (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number
    throw new UsageError(`${flag} must be a whole number from 1 to ${most}, not "${text}"`)
  }

/** Requests a second; a fraction for less than one. @throws {UsageError} */
export function asRate(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number >= 0.001 && number <= 100_000) return number
  throw new UsageError(`--rate must be a number from 0.001 to 100000, in requests a second, not "${text}"`)
}

/** @throws {UsageError} */
export function asTarget(text: string): URL {
  const url = URL.parse(text)
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new UsageError('--to must be an address such as http://127.0.0.1:8000/hooks')
}

/** What of an address may be shown: passwords and tokens are in the other parts. */
export const shown = ({ origin, pathname }: URL): string => origin + pathname

/** A GUID that a header can hold; it need not look like GitHub's. @throws {UsageError} */
export function asGuid(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new UsageError('--guid must be visible ASCII characters without white space')
}
