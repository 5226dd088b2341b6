/** Shows the user's line of code, as Node.js does for an uncaught error. */
import { statSync } from 'node:fs'
import { relative } from 'node:path'
import { type CodeLocation, frameLocation, isForeignFrame, linesOf } from './code-location.ts'

/** Maximum characters of a shown line. A bundle may have all of its code on one line. */
const maxLineLength = 300

/** The place, the line of code, and below it carets that keep its tabs. */
export function excerpt(location: CodeLocation): string[] {
  const code = linesOf(location.file)[location.line - 1] ?? ''
  if (code.length > maxLineLength) return [shownPlace(location)]
  const before = code.slice(0, location.column - 1).replace(/[^\t]/g, ' ')
  return [shownPlace(location), code, `${before}${'^'.repeat(location.length)}`]
}

/** The path from the current folder, if it is in this folder. */
export function shownPlace({ file, line, column }: CodeLocation): string {
  const path = relative('', file)
  return `${path.startsWith('..') ? file : path}:${line}:${column}`
}

/**
 * The user's line of code with a caret, and below it the stacks of an error and its causes without the frames of
 * hookserver and Node.js.
 * @param at When the code ran, in milliseconds since 1970. The line is left out if its file has changed since.
 */
export function stackWithCode(stack: string, at: number): string {
  const location = frameLocation(stack)
  const code = location && isOlder(location.file, at) ? [...excerpt(location), ''] : []
  return [...code, withoutForeignFrames(stack)].join('\n')
}

const isOlder = (file: string, at: number): boolean => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? at) < at

/** The stacks without the frames of hookserver and Node.js, unless all frames are theirs. */
function withoutForeignFrames(stacks: string): string {
  const lines = stacks.split('\n')
  const own = lines.filter((_, index) => !isForeign(lines, index))
  return own.some((line) => /^ +at /.test(line)) ? own.join('\n') : stacks
}

/** A frame of the engine, such as `new Promise (<anonymous>)`, belongs to its caller, which is the frame below it. */
function isForeign(lines: readonly string[], index: number): boolean {
  const line = lines[index] ?? ''
  return isForeignFrame(line) || (/^ +at .*\(<anonymous>\)$/.test(line) && isForeign(lines, index + 1))
}
