/** The flags that name the `.env` file of a command. */
import type { Command } from 'commander'
import { type EnvFile, loadEnvFile } from '../server/config/env-file.ts'
import { ConfigError } from '../server/config/resolve-config.ts'

/**
 * Read from the current folder if it exists, unless `--env-file` or `HOOKSERVER_ENV_FILE` names another file, or
 * `--no-env-file` is set.
 */
export const defaultEnvFile = '.env'

const variable = 'HOOKSERVER_ENV_FILE'

/** The options of a command with these flags, after `readEnvFile` has run. */
export interface EnvFileFlags {
  /** The file that was read, if any. */
  envFile?: EnvFile | undefined
  /** The path of the file to read, which may not exist. `undefined` with `--no-env-file`. */
  envFilePath?: string | undefined
}

/** Adds `--env-file` and `--no-env-file`. The program reads the file before the action of the command runs. */
export function addEnvFileFlags(command: Command): Command {
  const help = `File with environment variables (default: ${defaultEnvFile}, if it exists) [${variable}]`
  return command.option('--env-file <file>', help).option('--no-env-file', 'Read no file with environment variables')
}

/**
 * Adds the variables of the file to the environment, and puts their names into the options of the command. Commander
 * calls this before the action of each command.
 * @throws {ConfigError} if the file cannot be read, or has a wrong line. A missing `.env` is an error only if a flag or the
 *   variable names it.
 */
export function readEnvFile(_: Command, command: Command): void {
  if (!command.options.some(({ long }) => long === '--env-file')) return
  const given: string | false | undefined = command.getOptionValue('envFile')
  const named = given === false ? undefined : (given ?? (process.env[variable] || undefined))
  command.setOptionValue('envFilePath', given === false ? undefined : (named ?? defaultEnvFile))
  command.setOptionValue('envFile', given === false ? undefined : envFileOf(given, named))
}

/** @param named The path in the flag or in the variable. */
function envFileOf(flag: string | undefined, named: string | undefined): EnvFile | undefined {
  try {
    return loadEnvFile(named ?? defaultEnvFile)
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } }
    // In some projects, `.env` is a folder: a virtual environment of Python.
    if (named === undefined && ['ENOENT', 'EISDIR'].includes(cause?.code ?? '')) return undefined
    const source = flag !== undefined || named === undefined ? '--env-file' : `the environment variable ${variable}`
    const cure = cause ? 'Name a file that you can read' : 'Correct the line'
    throw new ConfigError([`${source}: ${message}. ${cure}, or add --no-env-file`])
  }
}

/**
 * The environment of this process without the variables of the file, for a child process. The child of `serve --dev` is
 * a server, which reads the file itself at each restart. The child of the `app` commands is a browser, which must not
 * get the keys and secrets in the file.
 */
export function environmentWithout({ variables = [] }: Partial<EnvFile> = {}): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !variables.includes(name)))
}
