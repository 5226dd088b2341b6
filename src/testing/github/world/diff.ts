import type { ChangedFile } from './branches.ts'

/** A line of a diff, with its number in the file before and after the change. */
export interface DiffLine {
  mark: ' ' | '-' | '+'
  text: string
  before: number
  after: number
}

/** How many unchanged lines a diff shows on each side of a change. */
const context = 3

/**
 * The diff of a file, as one hunk from the first to the last changed line. Git makes several hunks of distant changes.
 * Empty: the file is binary or unchanged.
 */
export function hunkOf({ before, after }: ChangedFile): DiffLine[] {
  const [old, current] = [linesOf(before), linesOf(after)]
  if (!old || !current) return []
  const most = Math.min(old.length, current.length)
  let start = 0
  while (start < most && old[start] === current[start]) start++
  let same = 0
  while (same < most - start && old.at(-1 - same) === current.at(-1 - same)) same++
  const [oldEnd, end] = [old.length - same, current.length - same]
  if (start === oldEnd && start === end) return []
  const first = Math.max(0, start - context)
  const line = (mark: DiffLine['mark'], text: string, before: number, after: number): DiffLine => ({
    ...{ mark, text, before: before + 1, after: after + 1 },
  })
  return [
    ...current.slice(first, start).map((text, index) => line(' ', text, first + index, first + index)),
    ...old.slice(start, oldEnd).map((text, index) => line('-', text, start + index, start)),
    ...current.slice(start, end).map((text, index) => line('+', text, oldEnd, start + index)),
    ...current.slice(end, end + context).map((text, index) => line(' ', text, oldEnd + index, end + index)),
  ]
}

/** A hunk as GitHub shows it: `@@ -1,2 +1,3 @@` and the lines. @param shown How many lines. Default: all. */
export function patchOf(hunk: readonly DiffLine[], shown: number = hunk.length): string {
  const range = (other: '-' | '+', start: number): string => {
    const count = hunk.filter(({ mark }) => mark !== other).length
    return `${count === 0 ? start - 1 : start}${count === 1 ? '' : `,${count}`}`
  }
  const [first] = hunk
  const header = `@@ -${range('+', first?.before ?? 1)} +${range('-', first?.after ?? 1)} @@`
  return [header, ...hunk.slice(0, shown).map(({ mark, text }) => mark + text)].join('\n')
}

/** `undefined` if the content is binary. */
function linesOf(content: Uint8Array = new Uint8Array()): string[] | undefined {
  if (content.includes(0)) return undefined
  if (content.length === 0) return []
  const lines = new TextDecoder().decode(content).split('\n')
  if (lines.at(-1) === '') return lines.slice(0, -1)
  return lines.with(-1, `${lines.at(-1)}\n\\ No newline at end of file`)
}
