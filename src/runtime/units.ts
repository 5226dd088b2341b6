/** Durations and sizes: their units, and numbers or texts with a unit. */
import { type Check, fail, isWhole } from './check-options.ts'

/** Milliseconds, or a text such as `'500ms'`, `'30s'`, `'15m'`, `'12h'` or `'30d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** Bytes, or a text such as `'10 B'`, `'512 KiB'`, `'25 MiB'` or `'20 GiB'`. The space may be left out. */
export type Size = number | `${number}${'' | ' '}${'B' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`

// Milliseconds.
export const second = 1000
export const minute: number = 60 * second
export const hour: number = 60 * minute
export const day: number = 24 * hour

const durations: Readonly<Record<string, number>> = { ms: 1, s: second, m: minute, h: hour, d: day }
const sizes: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** The milliseconds of a text such as `30d`, `12h`, `15m`, `30s` or `500ms`. `undefined` for other texts. */
export const parseDuration = (text: string): number | undefined => parse(/^(\d+)(ms|s|m|h|d)$/, text, durations)

/** As `parseDuration`. `undefined` also for zero. */
export const parsePositiveDuration = (text: string): number | undefined => parseDuration(text) || undefined

/** The bytes of a text such as `500MiB` or `20 GiB`. `undefined` for zero and other texts. */
export const parseSize = (text: string): number | undefined =>
  parse(/^(\d+) ?(B|KiB|MiB|GiB|TiB)$/, text, sizes) || undefined

function parse(form: RegExp, text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = '', unit = ''] = form.exec(text) ?? []
  const value = Number(digits) * (units[unit] ?? 0)
  return digits === '' || !Number.isSafeInteger(value) ? undefined : value
}

/** The milliseconds of a duration that `durationCheck` has accepted. */
export const toMilliseconds = (value: Duration): number =>
  typeof value === 'number' ? value : (parseDuration(value) ?? 0)

/** The bytes of a size that `sizeCheck` has accepted. */
export const toBytes = (value: Size): number => (typeof value === 'number' ? value : (parseSize(value) ?? 0))

interface Bounds {
  min?: number | undefined
  max?: number | undefined
  /**
   * A smaller number, except 0, is a mistaken unit, for example seconds instead of milliseconds. A text may be smaller.
   * Default: 100 ms or 1000 bytes.
   */
  plausible?: number
  /** The unit that the developer probably meant. Default: `s` or ` MiB`. */
  meant?: string
}

/** Milliseconds or bytes, with examples for messages. */
interface Unit extends Required<Pick<Bounds, 'plausible' | 'meant'>> {
  name: string
  /** The unit of a number, in a text. */
  own: string
  example: string
  parse: (text: string) => number | undefined
}

const milliseconds: Unit = {
  ...{ name: 'milliseconds', own: 'ms', example: "'30s'" },
  ...{ plausible: 100, meant: 's' },
  parse: parseDuration,
}
const bytes: Unit = {
  ...{ name: 'bytes', own: ' B', example: "'25 MiB'" },
  ...{ plausible: 1000, meant: ' MiB' },
  parse: parseSize,
}

const checkOf = (unit: Unit, bounds: Bounds): Check => {
  const { min = 1, max = Number.MAX_SAFE_INTEGER, plausible = unit.plausible, meant = unit.meant } = bounds
  const limits = max === Number.MAX_SAFE_INTEGER ? `${min} at least` : `${min} to ${max}`
  return (value, option) => {
    const number = typeof value === 'string' ? unit.parse(value) : value
    if (!isWhole(number, min, max)) {
      fail(option, `a whole number of ${unit.name}, ${limits}, or a text such as ${unit.example}`, value)
    }
    if (typeof value !== 'number' || value === 0 || value >= plausible) return
    throw new TypeError(
      `${option} is in ${unit.name}, and ${value} is probably a mistake: ` +
        `write '${value}${meant}', or '${value}${unit.own}'`,
    )
  }
}

export const durationCheck = (bounds: Bounds = {}): Check => checkOf(milliseconds, bounds)

/** A check of the age of data, such as the time for which a store keeps it. No number below a minute is meant. */
export const ageCheck = (meant: 'h' | 'd'): Check => durationCheck({ plausible: minute, meant })

export const sizeCheck = (bounds: Bounds = {}): Check => checkOf(bytes, bounds)
