/** The text that errors of one cause share. */

/** Characters of a stored error that are read. An error can have several stacks, and the first lines say the most. */
const maxRead = 16_384
/** Characters of the messages that are normalized. */
const maxMessage = 2000
/** Maximum characters of a normalized error. */
const maxLength = 300
/** Errors of a chain of causes whose messages are read, the thrown one included. */
const maxErrors = 3

/** The normalized form of an error without a text. */
const noMessage = 'No error message'

/**
 * Replaces what differs between two errors of one cause: numbers, ids, hashes, times, addresses and quoted texts. Keeps
 * the names and the messages of the error and of its causes, and leaves out the stacks. Numbers that say what happened
 * stay: an HTTP status, and the exit code of a program.
 * @param error The stored text of an error, which can be hostile. The time that this takes is limited.
 */
export function normalizeError(error: string | undefined): string {
  const messages = messagesOf((error ?? '').slice(0, maxRead)).slice(0, maxMessage)
  const text = messages.toWellFormed().replace(controls, ' ').replace(variable, replacementOf)
  const line = text.replace(/ {2,}/g, ' ').trim()
  if (line === '') return noMessage
  return line.length > maxLength ? `${line.slice(0, maxLength).toWellFormed()}…` : line
}

/**
 * Whether a normalized error may lack a text that the error has. Most parts that normalization replaces have a digit, so
 * this does not depend on the place of the text in the error.
 */
export const hasNumber = (text: string): boolean => /\d/.test(text)

/** The messages of an error and of its causes, without the lines of their stacks. */
function messagesOf(text: string): string {
  const errors = text.split('\nCaused by: ', maxErrors).map((one) => {
    const lines = one.split('\n')
    const stack = lines.findIndex((line) => /^\s{1,8}at /.test(line))
    return lines
      .slice(0, stack < 0 ? undefined : stack)
      .join(' ')
      .trim()
  })
  return errors.join(' ← ')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a store cannot keep NUL, and a list has one line per error
const controls = /[\x00-\x20\x7f-\x9f\u2028\u2029]+/g

const time = String.raw`\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?`
const weekday = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const zone = String.raw`(?: ?(?:Z|GMT|UTC)?(?:[+-]\d\d:?\d\d)?(?: \([\w ]{1,40}\))?)`

/**
 * The parts that vary. Most short random ids cannot be told from names such as `S3Key`. So a short word is an id only in
 * the name of a temporary folder, and after a hyphen or an underscore, where a letter follows a digit.
 *
 * The name of the group is the kind of the part, and the first group that matches counts. Each part begins at a boundary
 * and has no nested repetition, so the time grows linearly with the text.
 */
const variable = new RegExp(
  [
    String.raw`(?<kept>\b(?:status|code|exit|HTTP(?:\/\d(?:\.\d)?)?)(?: code)?[ :=]{1,3}\d{1,3}(?![\w.:]))`,
    String.raw`(?<quoted>"[^"]*"|“[^”]*”|\x60[^\x60]*\x60|(?<!\w)'[^']*'(?!\w)|‘[^’]*’)`,
    String.raw`(?<uuid>(?<!\w)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w))`,
    String.raw`(?<time>(?<![\w.])\d{4}-\d\d-\d\d(?:[T ]${time}${zone})?(?!\w))`,
    String.raw`(?<date>\b${weekday},? (?:\d{1,2} ${month}|${month} \d{1,2}) \d{4} ${time}${zone})`,
    String.raw`(?<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})`,
    String.raw`(?<ipv4>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.]*\d))`,
    String.raw`(?<clock>(?<![\w:.])${time}(?![\w:]))`,
    String.raw`(?<ipv6>(?<![\w:])\[?(?=:{0,2}[0-9a-f])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w{1,16})?(?:\]:\d{1,5}|\])?(?![\w:]))`,
    String.raw`(?<pointer>\b0x[0-9a-f]+)`,
    String.raw`(?<temporary>(?<=[\\/](?:tmp|temp|t)[\\/](?:[\w.-]{0,60}[-._])?)[a-z0-9]{5,12}(?![\w.-]))`,
    String.raw`(?<suffix>(?<=[-_])(?=[a-z]*\d+[a-z])[a-z0-9]{5,6}(?![a-z0-9]))`,
    '(?<token>(?<![a-z0-9])[a-z0-9]{7,}(?![a-z0-9]))',
    String.raw`(?<number>\d+(?:[.,]\d+)*)`,
  ].join('|'),
  'gi',
)

const replacements = {
  uuid: '<id>',
  suffix: '<id>',
  time: '<time>',
  date: '<time>',
  clock: '<time>',
  email: '<address>',
  ipv4: '<address>',
  ipv6: '<address>',
  pointer: '<address>',
  number: '<n>',
} as const

type Kind = keyof typeof replacements | 'kept' | 'quoted' | 'temporary' | 'token'

function replacementOf(part: string, ...rest: unknown[]): string {
  const groups = rest.at(-1) as Partial<Record<Kind, string>>
  for (const kind in replacements) {
    const one = kind as keyof typeof replacements
    if (groups[one] !== undefined) return replacements[one]
  }
  if (groups.quoted !== undefined) return `${part[0]}…${part.at(-1)}`
  if (groups.temporary !== undefined && /\d|[a-z][A-Z]/.test(part)) return '<id>'
  return groups.kept === undefined ? withoutIds(part) : part
}

/**
 * A word as it is, or `<id>` if it is a hash or a random id: it is hexadecimal with a digit, or it has several numbers and
 * is long or mixes cases. The numbers in any other word are replaced, as in `worker12345678`.
 */
function withoutIds(word: string): string {
  const numbers = word.match(/\d+/g)?.length ?? 0
  if (numbers === 0) return word
  if (/^\d+$/.test(word)) return '<n>'
  const isHash = /^[0-9a-f]+$/i.test(word)
  const isRandom = numbers > 1 && (word.length >= 12 || (/[a-z]/.test(word) && /[A-Z]/.test(word)))
  return isHash || isRandom ? '<id>' : word.replace(/\d+/g, '<n>')
}
