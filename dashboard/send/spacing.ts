/**
 * JSON with other white space, of which no token is another one: a number keeps all of its digits, and a name that is there
 * twice stays.
 */

/** Levels that are set in: below, a line would be nothing but spaces. */
const deepest = 100

/** With a line for each member, to be read. @param text Valid JSON. */
export function indented(text: string): string {
  const parts: string[] = []
  let depth = 0
  let before = ''
  const line = () => `\n${'  '.repeat(Math.min(depth, deepest))}`
  for (const token of tokensOf(text)) {
    const [isFirst, ends] = [opening.has(before), closing.has(token)]
    if (ends) depth -= 1
    // What is empty stays on one line.
    if (before === ',' || (isFirst && !ends) || (ends && !isFirst)) parts.push(line())
    if (opening.has(token)) depth += 1
    parts.push(token === ':' ? ': ' : token)
    before = token
  }
  return parts.join('')
}

/** Without any, as GitHub sends it. @param text Valid JSON. */
export const compact = (text: string): string => [...tokensOf(text)].join('')

const opening: ReadonlySet<string> = new Set('{[')
const closing: ReadonlySet<string> = new Set('}]')
const marks: ReadonlySet<string> = new Set('{}[],:')
const spaces: ReadonlySet<string> = new Set(' \n\r\t')

function* tokensOf(text: string): Generator<string> {
  for (let at = afterSpace(text, 0); at < text.length; ) {
    const mark = text[at] as string
    const end = mark === '"' ? endOfText(text, at) : marks.has(mark) ? at + 1 : endOfWord(text, at)
    yield text.slice(at, end)
    at = afterSpace(text, end)
  }
}

function afterSpace(text: string, from: number): number {
  let at = from
  while (spaces.has(text[at] ?? '')) at += 1
  return at
}

/** Behind the quote that ends a text: one before which backslashes do not say that it is part of it. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; ; at += 1) {
    at = text.indexOf('"', at)
    if (at < 0) return text.length
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
}

function endOfWord(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && !marks.has(text[at] as string) && !spaces.has(text[at] as string)) at += 1
  return at
}
