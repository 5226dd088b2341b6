/** Finds the line of the user's code in which an import failed. Node.js says it in different places. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutExperimentalWarning } from '../../runtime/experimental-warning.ts'
import { failedImportOf, lastImports } from './module-imports.ts'

/** Lines and columns count from 1. */
export interface CodeLocation {
  file: string
  line: number
  column: number
  /** The number of characters that are wrong. */
  length: number
}

/** @returns `undefined` if the error says nothing about its place, for example because it is a text. */
export function locationOf(error: unknown): CodeLocation | undefined {
  if (!(error instanceof Error)) return undefined
  return shownLocation(error) ?? importLocation(error) ?? frameLocation(error.stack) ?? syntaxErrorLocation(error)
}

/** The file and the line that Node.js puts before the stack of some syntax errors, with lines of code below them. */
const codeBefore = /^((?:file:|\/|[A-Z]:[\\/]).*):(\d+)\n/

/** The stack without the code before it. */
export const stackOnly = (stack: string): string =>
  codeBefore.test(stack) ? stack.slice(Math.max(stack.search(/^SyntaxError\b/m), 0)) : stack

function shownLocation({ stack = '' }: Error): CodeLocation | undefined {
  const [, place = '', line] = codeBefore.exec(stack) ?? []
  return line === undefined ? undefined : lineWithCarets(pathOf(place), Number(line), stack)
}

/** @param text Has carets below the wrong part of the code, or none if the wrong part is the end of the file. */
function lineWithCarets(file: string, line: number, text: string): CodeLocation {
  const [, before, carets = '^'] = /\n([ \t]*)(\^+)[ \t]*\n/.exec(text) ?? []
  const { length } = before ?? linesOf(file)[line - 1] ?? ''
  return { file, line, column: length + 1, length: carets.length }
}

/** The import that cannot be resolved. Node.js names only its file. */
function importLocation(error: Error): CodeLocation | undefined {
  const { specifier, importer } = failedImportOf(error) ?? {}
  if (specifier === undefined || !importer?.startsWith('file:')) return undefined
  const file = fileURLToPath(importer)
  const lines = linesOf(file)
  for (const quoted of [`'${specifier}'`, `"${specifier}"`]) {
    const fits = (line: string) => line.includes(quoted) && !/^\s*(\/\/|\*)/.test(line)
    const index = lines.findIndex(fits)
    const [column, length] = [(lines[index]?.indexOf(quoted) ?? 0) + 1, quoted.length]
    if (index >= 0) return { file, line: index + 1, column, length }
  }
  return undefined
}

/** The first line of a stack in the user's own code, otherwise in a package. */
export function frameLocation(stack = ''): CodeLocation | undefined {
  const frames = stack.split('\n').flatMap((line) => (isForeignFrame(line) ? [] : (parseFrame(line) ?? [])))
  return frames.find(({ file }) => !/[\\/]node_modules[\\/]/.test(file)) ?? frames[0]
}

function parseFrame(line: string): CodeLocation | undefined {
  const [, place, row, column] = /^ +at (?:.*\()?(?:async )?([^()]+):(\d+):(\d+)\)?$/.exec(line) ?? []
  const file = place === undefined ? '' : pathOf(place)
  if (!isCode(file) || !existsSync(file)) return undefined // code of `eval`, for example
  return { file, line: Number(row), column: Number(column), length: 1 }
}

/**
 * A sender may choose a part of the message, and so a text that looks like a frame: show no line of other files, and
 * look for no file of another Windows machine (`\\host\share`), which would get a hash of the password.
 */
const isCode = (file: string): boolean => /\.[cm]?[jt]sx?$/.test(file) && !/^[\\/]{2}/.test(file)

/** The path of this package: that of `dist`, or of `src` if hookserver runs from its sources. */
const [, ownFolder] = /^file:\/\/(.*\/)(?:dist|src)\//.exec(import.meta.url) ?? []
const ownFolders = ['dist', 'src'].map((name) => `${ownFolder}${name}/`)

/** Whether a line of a stack is a frame of Node.js or of hookserver. */
export const isForeignFrame = (line: string): boolean =>
  /^ +at /.test(line) &&
  (/[( ]node:/.test(line) ||
    ownFolders.some((folder) => line.includes(folder)) ||
    /node_modules[\\/]hookserver[\\/]/.test(line))

/**
 * The place of a syntax error in a module, which Node.js says only in its output about an uncaught error. So another
 * process checks the syntax of the files that were imported last, without running them.
 */
function syntaxErrorLocation(error: Error): CodeLocation | undefined {
  if (!(error instanceof SyntaxError)) return undefined
  const files = lastImports().flatMap((url) => (/^file:.*\.[cm]?[jt]s$/.test(url) ? fileURLToPath(url) : []))
  for (const file of new Set(files.toReversed())) {
    const location = checkSyntax(file, error.message)
    if (location) return location
  }
  return undefined
}

function checkSyntax(file: string, message: string): CodeLocation | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', '--input-type=module', '-'], {
    input: javaScriptIn(file),
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const line = /^\[stdin\]:(\d+)\n/.exec(stderr)?.[1]
  const isSame = stderr.includes(`SyntaxError: ${message}`)
  return isSame && line !== undefined ? lineWithCarets(file, Number(line), stderr) : undefined
}

/** The source, with spaces in place of types: positions stay. */
function javaScriptIn(file: string): string {
  const source = linesOf(file).join('\n')
  try {
    return /\.[cm]?ts$/.test(file) ? withoutExperimentalWarning(() => stripTypeScriptTypes(source)) : source
  } catch {
    return '' // Node.js shows the place of an error that it finds in TypeScript
  }
}

/** The lines of a file. Empty if it cannot be read. */
export function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)
  } catch {
    return []
  }
}

function pathOf(place: string): string {
  if (!place.startsWith('file:')) return resolve(place)
  try {
    return fileURLToPath(place)
  } catch {
    return place // a text in a message that looks like a frame
  }
}
