import { resolve } from 'node:path'
import { type Check, checkOptions, fail, isListOf, must } from '../runtime/check-options.ts'
import { maxTimer } from '../runtime/timer.ts'
import { type Duration, durationCheck, toMilliseconds } from '../runtime/units.ts'
import { isRef } from './target.ts'

/** How `exec` runs its program. */
export interface ExecOptions {
  /** The working directory of the program. Default: that of this process when `exec()` is called. */
  cwd?: string | undefined
  /**
   * Environment variables for the program. From this process, the program inherits only `PATH`, `HOME` and `LANG`. This
   * option overrides them, and the variables that describe the delivery override this option. Default: none.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * The branch for which the program runs, by name (`main`), or a list of branches. The program then does not run for
   * other branches, for pull requests, tags and deletions, or for deliveries without a ref. Default: it runs for every
   * delivery.
   */
  branch?: string | readonly string[] | undefined
  /**
   * The time after which hookserver ends the program. Default: none. Without this option, only `delivery.signal`
   * ends the program. By default, the signal aborts 9 s after the request if there is no inbox, and 15 min after the
   * start of the attempt if there is one. With an inbox, this option also sets the `timeout` of the handler to this
   * time, plus `killAfter`, plus 1 s, so that the program ends before the attempt times out.
   */
  timeout?: Duration | undefined
  /** The time between SIGTERM and SIGKILL. Default: 5 s. */
  killAfter?: Duration | undefined
  /**
   * `'repository'`: one run at a time for each repository, in order of receipt. Programs for deliveries without a
   * repository run in parallel. `false`: all programs run in parallel. Default: `'repository'`.
   */
  order?: 'repository' | false | undefined
}

/** A program and how to run it, checked, with all defaults. */
export interface Command {
  /** The argument `file`, for messages. */
  name: string
  /** An absolute path, or a name to look up in `PATH`. */
  file: string
  args: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  branches: readonly string[] | undefined
  timeout: number | undefined
  killAfter: number
  order: 'repository' | false
}

/**
 * @throws {TypeError} naming the argument or option. The message shows the invalid value. It never shows the value of a
 * variable in `env`, which may be a secret.
 */
export function commandOf(file: unknown, args: unknown = [], options: unknown = {}): Command {
  if (!isText(file) || file === '') fail('Argument "file"', 'a path or the name of a program', file)
  if (!isListOf(args, isText)) fail('Argument "args"', 'a list of strings without NUL', args)
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    fail('Argument "options"', 'an object', options)
  }
  const given: ExecOptions = options
  checkOptions(given, checks, { suffix: ' of exec()' })
  const cwd = resolve(given.cwd ?? '.')
  const isPath = file.includes('/') || (process.platform === 'win32' && file.includes('\\'))
  const env = Object.entries(given.env ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    name: file,
    file: isPath ? resolve(cwd, file) : file,
    args: [...args],
    cwd,
    env: Object.fromEntries(env),
    branches: typeof given.branch === 'string' ? [given.branch] : given.branch && [...given.branch],
    timeout: given.timeout === undefined ? undefined : toMilliseconds(given.timeout),
    killAfter: toMilliseconds(given.killAfter ?? 5000),
    order: given.order ?? 'repository',
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')

/**
 * Whether this can be the name of a branch. Rejects refs (`refs/heads/main`) and patterns (`v*`): `exec` compares names
 * of branches, so a ref or a pattern would never match.
 */
const isBranch = (value: unknown): value is string =>
  typeof value === 'string' && !value.startsWith('refs/') && isRef(`refs/heads/${value}`)

const checks: { readonly [Name in keyof Required<ExecOptions>]: Check } = {
  cwd: must((value) => isText(value) && value !== '', 'the path of a folder'),
  env(value, what) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(what, 'an object of strings', value)
    // The values are not shown: they may be secrets.
    for (const [name, one] of Object.entries(value)) {
      if (name === '' || /[=\0]/.test(name)) fail(what, 'an object whose keys are names of variables', name)
      if (one !== undefined && !isText(one)) throw new TypeError(`${what}: ${name} must be a string without NUL`)
    }
  },
  branch: must(
    (value) => isBranch(value) || (isListOf(value, isBranch) && value.length > 0),
    'the name of a branch (main, not refs/heads/main) or a list of them, without patterns',
  ),
  timeout: durationCheck({ max: maxTimer }),
  killAfter: durationCheck({ min: 0, max: maxTimer }),
  order: must((value) => value === 'repository' || value === false, '"repository" or false'),
}
