/**
 * Patterns of paths, in the syntax of Bash: `*`, `**`, `?`, `[a-z]`, `{a,b}` and `@(a|b)` with one of `@?*+!`. Beside other
 * text, `**` also matches slashes, as in GitHub Actions: `**.js` is every file with this end.
 *
 * A regular expression would take exponential time for some paths, and strangers choose the paths of a pull request. So a
 * pattern is a list of steps, and each step maps all positions that the steps before it can reach to those after it. A
 * position counts once, however many ways lead to it, so the time is linear in the length of the path. Only `!(…)`
 * after a wildcard takes quadratic time, and only if its own pattern matches the empty text.
 */
type Step = (from: ReadonlySet<number>, path: string) => ReadonlySet<number>

/** Compiles a pattern. Parentheses, brackets and braces without a partner stand for themselves. */
export function glob(pattern: string): (path: string) => boolean {
  const all = new Parser(pattern).sequence('')
  return (path) => all(new Set([0]), path).has(path.length)
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Reads up to one of the characters in `ends`, or to the end of the pattern. */
  sequence(ends: string): Step {
    const steps: Step[] = []
    while (this.#at < this.#text.length && !ends.includes(this.#text[this.#at] as string)) steps.push(this.#next())
    return (from, path) => steps.reduce((reached, step) => step(reached, path), from)
  }

  #next(): Step {
    const isAtStart = this.#at === 0 || '/{(,|'.includes(this.#text[this.#at - 1] as string)
    if (this.#take(/(?<!\*)\/\*\*+$/y)) return folderOrAllBelow
    if (isAtStart && this.#take(/\*\*+\//y)) return anyFolders
    const kind = this.#take(/[@?*+!]\(/y)
    if (kind) return this.#list(kind[0] as string, '|', ')') ?? this.#literal(kind)
    if (this.#take(/\*\*+/y)) return anything
    if (this.#take(/\*/y)) return anyName
    if (this.#take(/\?/y)) return one((char) => char !== '/')
    if (this.#take(/\{/y)) return this.#range() ?? this.#list('@', ',', '}') ?? this.#literal('{')
    const members = this.#take(/\[[!^]?\]?(?:\\.|[^\]\\])+\]/y)
    const set = members && setOf(members)
    if (set) return one((char) => char !== '/' && set.test(char))
    if (members) return this.#literal(members)
    this.#take(/\\(?=.)/y) // a backslash stands before a character that stands for itself
    return this.#literal(this.#take(/./sy))
  }

  /** The alternatives of `{a,b}` or `@(a|b)`. `undefined`, and reads nothing, if the end is missing. */
  #list(kind: string, separator: string, end: string): Step | undefined {
    const start = this.#at
    const alternatives: Step[] = []
    do alternatives.push(this.sequence(separator + end))
    while (this.#take(separator === '|' ? /\|/y : /,/y))
    if (!this.#take(end === ')' ? /\)/y : /\}/y) || (end === '}' && alternatives.length === 1)) {
      this.#at = start
      return undefined
    }
    const any: Step = (from, path) => new Set(alternatives.flatMap((one) => [...one(from, path)]))
    if (kind === '!') return allBut(any)
    if (kind === '?') return (from, path) => new Set([...from, ...any(from, path)])
    if (kind === '*') return (from, path) => repeated(any, from, path)
    if (kind === '+') return (from, path) => repeated(any, any(from, path), path)
    return any
  }

  /** `{1..3}` or `{a..c}`, after its brace. */
  #range(): Step | undefined {
    const found = this.#take(/(?:\d+\.\.\d+|[a-z]\.\.[a-z])\}/iy)
    if (found === undefined) return undefined
    const [first = '', last = ''] = found.slice(0, -1).split('..')
    if (!/\d/.test(first)) return one((char) => char >= first && char <= last)
    return (from, path) => {
      const reached = new Set<number>()
      for (const at of from) {
        for (let end = at + 1; /\d/.test(path[end - 1] ?? ''); end++) {
          const number = path.slice(at, end)
          if (number.length > last.length) break
          if (+number >= +first && +number <= +last && String(+number) === number) reached.add(end)
        }
      }
      return reached
    }
  }

  #literal(text = ''): Step {
    return (from, path) => {
      const reached = new Set<number>()
      for (const at of from) if (path.startsWith(text, at)) reached.add(at + text.length)
      return reached
    }
  }

  #take(what: RegExp): string | undefined {
    what.lastIndex = this.#at
    const found = what.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }
}

/** The characters of `[a-z]`, or `undefined` for a wrong range. */
function setOf(members: string): RegExp | undefined {
  try {
    return new RegExp(
      members
        .replace(/^\[!/, '[^')
        .replace(/^(\[\^?)\]/, '$1\\]')
        .replaceAll(/(?<=.)\[/gs, '\\['),
    )
  } catch {
    return undefined
  }
}

/** One character. */
const one =
  (fits: (char: string) => boolean): Step =>
  (from, path) => {
    const reached = new Set<number>()
    for (const at of from) if (at < path.length && fits(path[at] as string)) reached.add(at + 1)
    return reached
  }

/** `*`: any part of a name. */
const anyName: Step = (from, path) => {
  const reached = new Set<number>()
  for (const at of from) {
    for (let end = at; !reached.has(end); end++) {
      reached.add(end)
      if (end === path.length || path[end] === '/') break
    }
  }
  return reached
}

/** Without `Math.min(...positions)`, which takes only some 100,000 arguments. */
const least = (positions: ReadonlySet<number>): number =>
  [...positions].reduce((one, other) => Math.min(one, other), Infinity)

const anything: Step = (from, path) => {
  const reached = new Set<number>()
  for (let at = least(from); at <= path.length; at++) reached.add(at)
  return reached
}

/** `**` and a slash: any number of folders. */
const anyFolders: Step = (from, path) => {
  const reached = new Set(from)
  for (let at = path.indexOf('/', least(from)); from.size > 0 && at >= 0; at = path.indexOf('/', at + 1)) {
    reached.add(at + 1)
  }
  return reached
}

/** A slash and `**` at the end of the pattern: the folder itself, and all below it. */
const folderOrAllBelow: Step = (from, path) => {
  const isReached = [...from].some((at) => at === path.length || path[at] === '/')
  return new Set(isReached ? [path.length] : [])
}

/**
 * The parts of a name that `step` does not match. After a wildcard, each position is a start. Unless `step` matches the
 * empty text, each start is then also reached, so few positions are left, and the first starts decide them.
 */
const allBut = (step: Step): Step => {
  const takesNothing = step(new Set([0]), '').has(0)
  return (from, path) => {
    const reached = new Set(takesNothing ? [] : from)
    for (const starts of byName(from, path)) {
      const first = starts[0] as number
      const end = (path.indexOf('/', first) + path.length + 1) % (path.length + 1)
      let left = [...anyName(new Set([first]), path)].filter((at) => !reached.has(at))
      for (const start of starts) {
        if (left.length === 0) break
        const matched = step(new Set([start]), path.slice(0, end))
        for (const at of left) if (at >= start && !matched.has(at)) reached.add(at)
        left = left.filter((at) => !reached.has(at))
      }
    }
    return reached
  }
}

/** The positions in each name of the path, in order. */
function byName(positions: ReadonlySet<number>, path: string): Iterable<number[]> {
  const sorted = [...positions].toSorted((one, other) => one - other)
  return Map.groupBy(sorted, (at) => path.indexOf('/', at)).values()
}

/** Any number of times, also none. */
function repeated(step: Step, from: ReadonlySet<number>, path: string): ReadonlySet<number> {
  const reached = new Set(from)
  for (let next = from; next.size > 0; ) {
    next = new Set([...step(next, path)].filter((at) => !reached.has(at)))
    for (const at of next) reached.add(at)
  }
  return reached
}
