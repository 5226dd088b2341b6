import { type Json, textIn, wholeNumberIn } from '../../../runtime/json.ts'
import type { ChangedFile } from './branches.ts'
import { type DiffLine, hunkOf, patchOf } from './diff.ts'

export type Side = 'LEFT' | 'RIGHT'

/** Where a review comment is: at a file of a pull request or, with `line`, at a line of the diff. */
export interface Place {
  path: string
  /** The diff up to the line. */
  diffHunk: string
  /** The number of the line in the diff. 1 if the comment is at a file. */
  position: number
  /** The number of the line in the old file (`LEFT`) or in the new one (`RIGHT`). */
  line: number | undefined
  side: Side
  /** The first of several lines. */
  startLine: number | undefined
  startSide: Side
}

/** A reason why a comment cannot be at a place. `field` is a member of what GitHub calls a thread. */
export interface PlaceProblem {
  field: string
  code: 'custom' | 'invalid' | 'missing_field'
  /** The text of a `custom` problem. */
  text?: string
}

/** GitHub names this problem in addition to any other that keeps it from finding the diff. */
const noHunk: PlaceProblem = { field: 'diff_hunk', code: 'missing_field' }

/** The problem of a commit that a pull request does not have. */
export const foreignCommit: readonly PlaceProblem[] = [
  { field: 'end_commit_oid', code: 'custom', text: 'is not part of the pull request' },
  noHunk,
]

/**
 * The place that `path`, `line`, `side`, `start_line`, `start_side` or `position` of a request name, or the reasons why
 * the diff does not have it. A pull request of a delivery has no known changes, so it has every place.
 * @param files Those of the pull request.
 */
export function placeIn(given: Json, files: readonly ChangedFile[]): Place | readonly PlaceProblem[] {
  const path = textIn(given, 'path') ?? ''
  const file = files.find((one) => one.path === path)
  if (files.length > 0 && !file) return [{ field: 'path', code: 'invalid' }, noHunk]
  const hunk = file ? hunkOf(file) : []
  const diffHunk = (shown?: number) => (hunk.length > 0 ? patchOf(hunk, shown) : '')
  if (textIn(given, 'subject_type') === 'file') {
    const noLine = { position: 1, line: undefined, side: 'RIGHT', startLine: undefined, startSide: 'RIGHT' } as const
    return { path, diffHunk: diffHunk(), ...noLine }
  }
  const position = wholeNumberIn(given, 'position')
  const named = position === undefined ? lineIn(given) : lineAt(hunk, position)
  if (!named || (file && indexOf(hunk, named) < 0 && position !== undefined))
    return [{ field: 'position', code: 'invalid' }, noHunk]
  const startLine = wholeNumberIn(given, 'start_line')
  const start = startLine === undefined ? undefined : { line: startLine, side: sideIn(given, 'start_side', named.side) }
  const problems = file ? problemsOf(hunk, named, start) : []
  if (problems.length > 0) return problems
  const index = indexOf(hunk, named)
  return {
    ...{ path, diffHunk: diffHunk(index + 1), position: position ?? Math.max(1, index + 1), ...named },
    ...{ startLine, startSide: start?.side ?? named.side },
  }
}

interface NamedLine {
  line: number
  side: Side
}

const sideIn = (given: Json, name: string, otherwise: Side): Side =>
  given[name] === 'LEFT' ? 'LEFT' : given[name] === 'RIGHT' ? 'RIGHT' : otherwise

const lineIn = (given: Json): NamedLine => ({
  line: wholeNumberIn(given, 'line') ?? 0,
  side: sideIn(given, 'side', 'RIGHT'),
})

/** The line at a position of a diff. Without a known diff, the position counts as the line. */
function lineAt(hunk: readonly DiffLine[], position: number): NamedLine | undefined {
  if (hunk.length === 0) return { line: position, side: 'RIGHT' }
  const found = hunk[position - 1]
  if (!found) return undefined
  return found.mark === '-' ? { line: found.before, side: 'LEFT' } : { line: found.after, side: 'RIGHT' }
}

const indexOf = (hunk: readonly DiffLine[], { line, side }: NamedLine): number =>
  hunk.findIndex(({ mark, before, after }) =>
    side === 'LEFT' ? mark !== '+' && before === line : mark !== '-' && after === line,
  )

function problemsOf(hunk: readonly DiffLine[], named: NamedLine, start: NamedLine | undefined): PlaceProblem[] {
  const [isMissing, startIndex] = [indexOf(hunk, named) < 0, start ? indexOf(hunk, start) : 0]
  const problems: PlaceProblem[] = []
  if (isMissing) problems.push({ field: 'line', code: 'custom', text: 'must be part of the diff' })
  if (start && (isMissing || startIndex < 0))
    problems.push({ field: 'start_line', code: 'custom', text: 'must be part of the same hunk as the line.' })
  else if (start && startIndex >= indexOf(hunk, named))
    problems.push({ field: 'start_line', code: 'custom', text: 'must precede the end line.' })
  return isMissing ? [...problems, noHunk] : problems
}
