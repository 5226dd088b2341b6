/**
 * Checks cron texts when a schedule is registered. `due-time.ts`, which computes their times, is loaded only by a
 * process that works. Its library accepts every text that passes this check, and more.
 */

interface Field {
  name: string
  min: number
  max: number
  /** Names of values, from `min` on. */
  names: string
}

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: '' },
  { name: 'hour', min: 0, max: 23, names: '' },
  { name: 'day of the month', min: 1, max: 31, names: '' },
  { name: 'month', min: 1, max: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec' },
  { name: 'day of the week', min: 0, max: 7, names: 'sun mon tue wed thu fri sat' },
]

/** Describes the fault of a cron text, whose fields one space separates. `undefined` if the text is valid. */
export function cronFault(text: string): string | undefined {
  const parts = text.split(' ')
  const shown = JSON.stringify(text)
  if (parts.length !== fields.length) {
    return `a cron text has five fields (${fields.map(({ name }) => name).join(', ')}), got ${shown}`
  }
  const wrong = fields.find((field, index) => !isField(parts[index] as string, field))
  if (!wrong) return undefined
  const { name, min, max } = wrong
  const names = wrong.names && ` or ${wrong.names.slice(0, 3).toUpperCase()} to ${wrong.names.slice(-3).toUpperCase()}`
  const expected = `"*", or values from ${min} to ${max}${names} in lists, ranges and steps (1,2 or 1-5 or */15)`
  return `the ${name} of a cron text must be ${expected}, got ${JSON.stringify(parts[fields.indexOf(wrong)])} in ${shown}`
}

/** Whether a text is a list of `*`, values and ranges, with steps after `*` and ranges. */
const isField = (text: string, field: Field): boolean => text.split(',').every((item) => isItem(item, field))

function isItem(item: string, field: Field): boolean {
  const { min, max } = field
  const [range = '', step, ...more] = item.split('/')
  const [from = '', to, ...others] = range.split('-')
  if (more.length > 0 || others.length > 0) return false
  if (step !== undefined && !(/^[1-9]\d?$/.test(step) && Number(step) <= max - min)) return false
  if (range === '*') return true
  const first = parseValue(from, field)
  const last = to === undefined ? first : parseValue(to, field)
  return first >= min && last <= max && first <= last && (step === undefined || to !== undefined)
}

/** The number of a value. NaN for other texts. */
function parseValue(text: string, { names, min }: Field): number {
  const index = names === '' ? -1 : names.split(' ').indexOf(text.toLowerCase())
  if (index >= 0) return min + index
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
}
