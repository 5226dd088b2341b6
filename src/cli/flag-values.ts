import { invalidValue, UsageError } from './errors.ts'

/** A parser for a flag. It throws a {@link UsageError}. */
export const wholeNumber =
  (flag: string, max: number) =>
  (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number
    throw invalidValue(flag, `a whole number from 1 to ${max}`, text)
  }

/** Requests a second; a fraction for less than one. @throws {UsageError} */
export function parseRate(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number >= 0.001 && number <= 100_000) return number
  throw invalidValue('--rate', 'a number from 0.001 to 100000, in requests a second', text)
}

/** The text is not repeated in the message: an address may hold a password. @throws {UsageError} */
export function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new UsageError('--to: expected an address such as http://127.0.0.1:8000/hooks')
}

/** A GUID that a header can hold; it need not look like GitHub's. @throws {UsageError} */
export function parseGuid(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw invalidValue('--guid', 'visible ASCII characters without white space', text)
}

/** The number of a delivery. @throws {UsageError} */
export function parseId(text: string): number {
  const id = Number(text)
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id
  throw invalidValue('id', 'the number of a delivery, as "deliveries list" shows it', text)
}
