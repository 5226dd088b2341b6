/** Changes only the white space of JSON. Numbers keep all their digits, and duplicate names stay. */

/** Maximum indentation, in levels. With more, deeper lines would consist mostly of spaces. */
const deepest = 100

/** Formats JSON with one line per member. @param text Valid JSON. */
export function formatJson(text: string): string {
  const lines = Array.from({ length: deepest + 1 }, (_, level) => `\n${'  '.repeat(level)}`)
  const parts: string[] = []
  let depth = 0
  let before = ''
  eachToken(text, (token) => {
    const [isFirst, ends] = [before === '{' || before === '[', token === '}' || token === ']']
    if (ends) depth -= 1
    // An empty object or list stays on one line.
    if (before === ',' || isFirst !== ends) parts.push(lines[Math.min(depth, deepest)] as string)
    if (token === '{' || token === '[') depth += 1
    parts.push(token === ':' ? ': ' : token)
    before = token
  })
  return parts.join('')
}

/** Removes all white space between tokens, as GitHub does. @param text Valid JSON. */
export function minifyJson(text: string): string {
  const parts: string[] = []
  eachToken(text, (token) => void parts.push(token))
  return parts.join('')
}

function eachToken(text: string, visit: (token: string) => void): void {
  for (let at = afterSpace(text, 0); at < text.length; ) {
    const mark = text.charCodeAt(at)
    const end = mark === quote ? endOfText(text, at) : isMark(mark) ? at + 1 : endOfWord(text, at)
    visit(text.slice(at, end))
    at = afterSpace(text, end)
  }
}

const [quote, backslash] = [0x22, 0x5c]

/** One of `{}[],:`, each a token. */
const isMark = (code: number): boolean =>
  code === 0x2c || code === 0x3a || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

function afterSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at += 1
  return at
}

/** The position after a string's closing quote, which is not escaped by a backslash. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; ; at += 1) {
    at = text.indexOf('"', at)
    if (at < 0) return text.length
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
}

function endOfWord(text: string, from: number): number {
  let at = from + 1
  for (let code = text.charCodeAt(at); at < text.length && !isMark(code) && !isSpace(code); )
    code = text.charCodeAt(++at)
  return at
}
