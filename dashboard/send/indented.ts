/** Levels that are set in: below, a line would be nothing but spaces. */
const deepest = 100

/**
 * JSON with a line for each of its members, of which no token is another one: a number keeps all of its digits, and a
 * name that is there twice stays.
 * @param text Valid JSON.
 */
export function indented(text: string): string {
  const parts: string[] = []
  let depth = 0
  const line = () => `\n${'  '.repeat(Math.min(depth, deepest))}`
  for (let at = afterSpace(text, 0); at < text.length; at = afterSpace(text, at)) {
    const mark = text[at] as string
    const end = mark === '"' ? endOfText(text, at) : marks.has(mark) ? at + 1 : endOfWord(text, at)
    if (mark === '{' || mark === '[') {
      const next = afterSpace(text, end)
      const isEmpty = text[next] === '}' || text[next] === ']'
      if (!isEmpty) depth += 1
      parts.push(mark, isEmpty ? (text[next] as string) : line())
      at = isEmpty ? next + 1 : end
      continue
    }
    if (mark === '}' || mark === ']') {
      depth -= 1
      parts.push(line())
    }
    parts.push(text.slice(at, end))
    if (mark === ',') parts.push(line())
    if (mark === ':') parts.push(' ')
    at = end
  }
  return parts.join('')
}

const marks: ReadonlySet<string> = new Set('{}[],:')
const spaces: ReadonlySet<string> = new Set(' \n\r\t')

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
