import { resolve } from 'node:path'
import { type Check, isListOf, isWhole, refuse, that } from '../runtime/check-options.ts'
import { longestTimer } from '../runtime/timer.ts'

/** How `exec` runs its program. */
export interface ExecOptions {
  /** The folder that the program runs in. Default: that of this process when `exec()` is called. */
  cwd?: string | undefined
  /**
   * Environment variables for the program, beside `PATH`, `HOME` and `LANG` of this process, which they override, and
   * the facts, which override them. It gets no others. Default: none.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * The branch, or the branches, by name (`main`), that the program is run for. Deliveries of other branches, of tags,
   * of a deletion, or without a ref are skipped. Default: it is run for every delivery.
   */
  branch?: string | readonly string[] | undefined
  /**
   * Milliseconds from the program's start until it is ended. Default: none, and `delivery.signal` ends it: 9 s after
   * the request, or 15 min from an inbox, which makes room for a longer `timeout` of this option.
   */
  timeout?: number | undefined
  /** Milliseconds that a program has to end by itself after SIGTERM, before SIGKILL. Default: 5000. */
  killAfter?: number | undefined
  /**
   * `'repository'`: one run at a time for each repository, in order of receipt. `false`: as many as there are
   * deliveries. Default: `'repository'`.
   */
  order?: 'repository' | false | undefined
}

/** A program and how to run it, checked, with every default filled in. */
export interface Command {
  /** As it was given; for texts. */
  name: string
  /** An absolute path, or a name to be looked up in `PATH`. */
  file: string
  args: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  branches: readonly string[] | undefined
  timeout: number | undefined
  killAfter: number
  order: 'repository' | false
}

/** @throws {TypeError} naming the argument or option, and its value. */
export function commandOf(file: unknown, args: unknown = [], options: unknown = {}): Command {
  if (!isText(file) || file === '') refuse('Argument "file"', 'a path or the name of a program', file)
  if (!isListOf(args, isText)) refuse('Argument "args"', 'a list of strings without NUL', args)
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    refuse('Argument "options"', 'an object', options)
  }
  const given = { ...(options as ExecOptions) }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, name)) throw new TypeError(`Unknown option "${name}"`)
    if (value !== undefined) checks[name as keyof ExecOptions](value, `Option "${name}"`)
  }
  const cwd = resolve(given.cwd ?? '.')
  const env = Object.entries(given.env ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    name: file,
    file: isPath(file) ? resolve(cwd, file) : file,
    args: [...args],
    cwd,
    env: Object.fromEntries(env),
    branches: typeof given.branch === 'string' ? [given.branch] : given.branch && [...given.branch],
    timeout: given.timeout,
    killAfter: given.killAfter ?? 5000,
    order: given.order ?? 'repository',
  }
}

/** Whether a program is named by its place, and not to be looked up in `PATH`. */
function isPath(file: string): boolean {
  return file.includes('/') || (process.platform === 'win32' && file.includes('\\'))
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')

/** A branch's name, and no ref, pattern or other thing that would never be equal to one. */
const isBranch = (value: unknown): value is string =>
  typeof value === 'string' && !value.startsWith('refs/') && /^[^\0-\x20\x7f~^:?*[\\]+$/.test(value)

const checks: Record<keyof ExecOptions, Check> = {
  cwd: that((value) => isText(value) && value !== '', 'the path of a folder'),
  env(value, what) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(what, 'an object of strings', value)
    // The values are not shown: they may be secrets.
    for (const [name, one] of Object.entries(value)) {
      if (name === '' || /[=\0]/.test(name)) refuse(what, 'an object whose keys are names of variables', name)
      if (one !== undefined && !isText(one)) throw new TypeError(`${what}: ${name} must be a string without NUL`)
    }
  },
  branch: that(
    (value) => isBranch(value) || (isListOf(value, isBranch) && value.length > 0),
    'the name of a branch (main, not refs/heads/main) or a list of them, without patterns',
  ),
  timeout: that((value) => isWhole(value, 1, longestTimer), `a whole number of milliseconds, ${longestTimer} at most`),
  killAfter: that(
    (value) => isWhole(value, 0, longestTimer),
    `a whole number of milliseconds, ${longestTimer} at most`,
  ),
  order: that((value) => value === 'repository' || value === false, '"repository" or false'),
}
