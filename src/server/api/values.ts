import { expectedTimestamp, parseTimestamp } from '../../inbox/query/timestamp.ts'

/** How a parameter is read, and what is said of one that cannot be. */
export interface Reader {
  /** What a value must be, in words. */
  expected: string
  /** For programs, as JSON Schema has it. */
  schema: object
  /** `undefined` for what it must not be: also for a parameter that was given twice, which is a list. */
  read(value: unknown): string | number | undefined
}

const longestText = 1000

export const aText: Reader = {
  expected: `a text that is not empty, given once, of ${longestText} characters at most`,
  schema: { type: 'string', minLength: 1, maxLength: longestText },
  read: (value) =>
    typeof value === 'string' && value.trim() !== '' && value.length <= longestText ? value : undefined,
}

/** What something begins with. */
export const aPrefix: Reader = {
  expected: `a text of ${longestText} characters at most, given once`,
  schema: { type: 'string', maxLength: longestText },
  read: (value) => (typeof value === 'string' && value.length <= longestText ? value : undefined),
}

const name = /^[\w-]{1,100}$/

/** As GitHub calls events. */
export const eventName: Reader = {
  expected: 'the name of an event, such as push',
  schema: { type: 'string', pattern: name.source },
  read: (value) => (typeof value === 'string' && name.test(value) ? value : undefined),
}

export const aChoice = (choices: readonly string[]): Reader => ({
  expected: `one of ${choices.join(', ')}`,
  schema: { type: 'string', enum: choices },
  read: (value) => choices.find((choice) => choice === value),
})

export const aCount = (least: number, most: number = Number.MAX_SAFE_INTEGER): Reader => ({
  expected: `a whole number, ${least} at least${most < Number.MAX_SAFE_INTEGER ? ` and ${most} at most` : ''}`,
  schema: { type: 'integer', minimum: least, maximum: most },
  read(value) {
    if (typeof value !== 'string' || !/^\d{1,16}$/.test(value)) return undefined
    const count = Number(value)
    return count >= least && count <= most ? count : undefined
  },
})

/** Read as milliseconds since 1970. */
export const aMoment: Reader = {
  expected: expectedTimestamp,
  schema: { type: ['string', 'integer'] },
  read: (value) => (typeof value === 'string' ? parseTimestamp(value) : undefined),
}
