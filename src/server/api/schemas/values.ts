/** Values in the shapes of the API. */
import * as v from 'valibot'
import { expectedTimestamp, parseTimestamp } from '../../../inbox/query/query.ts'
import { deliveryStates } from '../../../inbox/records.ts'
import { textValue } from '../../schema.ts'

export const text = v.string()
export const flag = v.boolean('true or false')
export const count = v.pipe(v.number(), v.integer(), v.minValue(0))
export const timestamp = v.pipe(v.number(), v.integer(), v.description('Milliseconds since 1970'))
export const duration = v.pipe(v.number(), v.minValue(0), v.description('Milliseconds'))
export const bytes = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Bytes'))
export const state = v.picklist(deliveryStates)
export const headers = v.record(v.string(), v.optional(v.string()))

export const deliveryId = v.pipe(
  v.number('the id of a delivery'),
  v.safeInteger('the id of a delivery'),
  v.minValue(1, 'the id of a delivery'),
)

const maxText = 1000

/** Text in a query parameter or in a filter. */
export const expectedText = `a text that is not empty, given once, of ${maxText} characters at most`

export const aText = textValue(
  expectedText,
  (value) => (value.trim() !== '' && value.length <= maxText ? value : undefined),
  { type: 'string', minLength: 1, maxLength: maxText },
)

export const aPrefix = textValue(
  `a text of ${maxText} characters at most, given once`,
  (value) => (value.length <= maxText ? value : undefined),
  { type: 'string', maxLength: maxText },
)

/** Text in a request's body. */
export const bodyText = (expected: string, pattern = /\S/) =>
  v.pipe(v.string(expected), v.regex(pattern, expected), v.maxLength(maxText, expected), v.description(expected))

export const expectedJson = 'the JSON of an object, of whole characters'

export function aCount(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const expected = `a whole number, ${min} at least${max < Number.MAX_SAFE_INTEGER ? ` and ${max} at most` : ''}`
  const parse = (value: string): number | undefined => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  }
  return textValue(expected, parse, { type: 'integer', minimum: min, maximum: max })
}

/** A time, as milliseconds since 1970. */
export const aTimestamp = textValue(expectedTimestamp, (value) => parseTimestamp(value), {
  type: ['string', 'integer'],
})

export const warningCodes = [
  ...(['ranges_failing', 'origin_unchecked', 'unsigned', 'wrong_signatures', 'all_rejected', 'old_secret'] as const),
  ...(['not_stored', 'slow_answers', 'dead', 'paused', 'not_handled', 'handler_overdue'] as const),
  ...(['memory_exhausted', 'missed', 'recovery_failing', 'upkeep_failing'] as const),
]
