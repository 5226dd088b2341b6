/** What the checks of options have in common. Each throws a `TypeError` that names the option and the value. */

/** @param what The option, as the error is to call it. */
export type Check = (value: unknown, what: string) => void

export function refuse(what: string, expected: string, value: unknown): never {
  const shown = typeof value === 'string' || typeof value === 'object' ? JSON.stringify(value) : String(value)
  throw new TypeError(`${what} must be ${expected}, got ${shown}`)
}

export const that = (fits: (value: unknown) => boolean, expected: string): Check => {
  return (value, what) => fits(value) || refuse(what, expected, value)
}

export const isListOf = <T>(value: unknown, fits: (item: unknown) => item is T): value is readonly T[] =>
  Array.isArray(value) && value.every(fits)

export const isWhole = (value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
