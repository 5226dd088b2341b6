/** Reads and changes a `.env` file, in the format of Node.js: https://nodejs.org/api/environment_variables.html */
import { accessSync, constants, lstatSync, readFileSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { replaceFile } from './replace-file.ts'

/** A `.env` file that was read into the environment. */
export interface EnvFile {
  path: string
  /** The names of the variables that were added to the environment. */
  variables: readonly string[]
  /** The names of the other variables in the file. The environment already had them, and kept its own values. */
  overridden: readonly string[]
}

/** Adds the variables of a file to the environment, which takes precedence. @throws {Error} */
export function loadEnvFile(path: string, env: NodeJS.ProcessEnv = process.env): EnvFile {
  const given = Object.entries(readVariables(path))
  const isSet = ([name]: readonly [string, unknown]) => env[name] !== undefined
  const [overridden, added] = [given.filter(isSet), given.filter((variable) => !isSet(variable))]
  Object.assign(env, Object.fromEntries(added))
  return { path, variables: added.map(([name]) => name), overridden: overridden.map(([name]) => name) }
}

/** The variables that a file sets. @throws {Error} also for a line that Node.js reads differently than it looks. */
export function readVariables(path: string): NodeJS.Dict<string> {
  const text = readText(path)
  checkLines(path, text)
  return parseEnv(text)
}

/** `NAME: …`, or `NAME=` and a value that begins with a quote, up to the end of the line after its second quote. */
const suspectLine =
  /^[ \t]*(?:export[ \t]+)?(?<name>[\w.-]+)[ \t]*(?::(?=\s|$)|=[ \t]*(?:(?:"[^"]*"|'[^']*'|`[^`]*`)(?<rest>[^\r\n]*)|(?<open>["'`])))/gm

/**
 * Node.js ignores a line `NAME: …`. A quote without a second one becomes a part of the value, or the value ends at the first
 * quote of a later line. @throws {Error} that says what to do, and shows no value.
 */
function checkLines(path: string, text: string): void {
  for (const { groups = {}, index } of text.matchAll(suspectLine)) {
    const { name, rest, open } = groups
    const line = `${path}, line ${text.slice(0, index).split('\n').length}`
    if (open !== undefined) {
      throw new Error(`${line}: the value of ${name} begins with ${open}, and has no second ${open}: add it at the end`)
    }
    if (rest === undefined) throw new Error(`${line}: write ${name}=… instead of ${name}: …`)
    if (!/^\s*(#|$)/.test(rest)) {
      throw new Error(`${line}: the value of ${name} ends before other text: put quotes around the whole value`)
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '') // Node.js would read this mark as part of the first name
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Sets variables in a file, and creates the file if it does not exist. Other lines and comments stay. The new file is
 * complete on the disk, with mode 0600, before it replaces the old one. After an error, the old file is unchanged.
 * @throws {Error} that says what to do, and shows no value.
 */
export function updateEnvFile(path: string, values: Readonly<Record<string, string>>): void {
  const old = statOf(path)
  const before = old ? readText(path) : ''
  const after = withValues(before, values)
  // Every variable, also an unchanged one, must have its expected value for the parser of Node.js.
  const [expected, found] = [{ ...parseEnv(before), ...values }, parseEnv(after)]
  const differing = [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter(
    (name) => expected[name] !== found[name],
  )
  if (differing.length > 0) {
    throw new Error(`Cannot change ${path}: Node.js would not read ${differing.join(', ')} correctly. Edit it yourself`)
  }
  if (after !== before || !old || (old.mode & 0o777) !== 0o600) replaceFile(path, after, old)
}

/** @returns `undefined` if there is no file. @throws {Error} if it is not a regular file. */
function statOf(path: string): Stats | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink()) {
    throw new Error(`Cannot change ${path}: it is a symbolic link. Name the file that it leads to`)
  }
  if (stats && !stats.isFile()) throw new Error(`Cannot change ${path}: it is not a file. Name a file`)
  return stats
}

/**
 * An assignment as Node.js reads it: a quoted value ends at the next quote of its kind, perhaps on another line. Any
 * other value ends at a `#` or at the end of the line.
 */
const assignment = /^([ \t]*(?:export[ \t]+)?([^\s=#'"`][^\s=#]*)[ \t]*=[ \t]*)("[^"]*"|'[^']*'|`[^`]*`|[^\r\n#]*)/gm

function withValues(text: string, values: Readonly<Record<string, string>>): string {
  const left = new Set(Object.keys(values))
  const changed = text.replace(assignment, (line: string, start: string, name: string, old: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) return line
    left.delete(name)
    return parseEnv(line)[name] === value ? line : `${start}${quoted(name, value)}${/[ \t]*$/.exec(old)?.[0] ?? ''}`
  })
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n'
  const added = [...left].map((name) => `${name}=${quoted(name, values[name] as string)}${eol}`)
  const between = added.length > 0 && changed !== '' && !changed.endsWith('\n') ? eol : ''
  return `${changed}${between}${added.join('')}`
}

/** The text that Node.js reads as this value, in quotes if it needs them. @throws {Error} if there is no such text. */
function quoted(name: string, value: string): string {
  const oneLine = value.replaceAll('\n', '\\n') // in double quotes, Node.js reads this as a line break
  const bare = /^[\w./:@+=-]+$/.test(value) ? [value] : []
  const candidates = [...bare, `"${oneLine}"`, `'${value}'`, `\`${value}\``]
  const found = candidates.find((text) => {
    const parsed = parseEnv(`${name}=${text}\nNEXT=1\n`)
    return parsed[name] === value && parsed.NEXT === '1'
  })
  if (found !== undefined) return found
  throw new Error(`Cannot write ${name} into a file: no quotes fit its value, or a variable cannot have this name`)
}

/** Checks whether `updateEnvFile` can write a file. Does not change the file. @throws {Error} that says what to do. */
export function checkWritable(path: string): void {
  statOf(path)
  const folder = dirname(resolve(path))
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const cure = 'Make its folder writable, or name a file in another folder'
    throw new Error(`Cannot write ${path}: ${(cause as Error).message}. ${cure}`, { cause })
  }
}
