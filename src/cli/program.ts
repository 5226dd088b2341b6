import { Command, CommanderError } from 'commander'
import { nameFlags } from '../runtime/option-or-flag.ts'
import { version } from '../runtime/platform.ts'
import { escapeUnsafeInLines } from '../runtime/untrusted-text.ts'
import { ModuleError } from '../server/config/module-error.ts'
import { ConfigError } from '../server/config/resolve-config.ts'
import { addApp } from './app/index.ts'
import { addAudit } from './audit.ts'
import { addCompletion } from './completion.ts'
import { addDeliveries } from './deliveries/index.ts'
import { addDoctor } from './doctor/index.ts'
import { readEnvFile } from './env-file-flags.ts'
import { addFailures } from './failures.ts'
import { UsageError, withBooleans } from './flags.ts'
import { addGitHub } from './github.ts'
import { addHandlers } from './handlers.ts'
import { addInit } from './init/index.ts'
import { addMigrate } from './migrate.ts'
import { outputError, print, printable } from './output.ts'
import { addProbot } from './probot.ts'
import { addProcesses } from './processes.ts'
import { addRanges } from './ranges.ts'
import { addRecover } from './recover/index.ts'
import { addSchedules } from './schedules.ts'
import { addSend } from './send/index.ts'
import { addServe } from './serve.ts'
import { addWebhooks } from './webhooks/index.ts'

const exitCodes = { failed: 1, usage: 2 } as const

/** Runs a command line without its first two words. Prints errors, and sets the exit code of the process. */
export async function run(args: readonly string[]): Promise<void> {
  nameFlags()
  try {
    const isVersion = args.length === 1 && ['-V', 'version'].includes(args[0] as string)
    await createProgram().parseAsync(isVersion ? ['--version'] : withBooleans(args), { from: 'user' })
  } catch (error) {
    process.exitCode = exitCodeOf(error as Error)
  }
  const failure = await outputError()
  if (failure === undefined) return
  printError(failure)
  process.exitCode ||= exitCodes.failed
}

function printError(message: string): void {
  for (const line of message.split('\n')) console.error(`hookserver: ${printable(line)}`)
}

/** Prints an error, unless commander has printed it. @returns The exit code. */
function exitCodeOf(error: Error): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  if (error instanceof ModuleError && error.trace) console.error(`${escapeUnsafeInLines(error.trace)}\n`)
  printError(error.message)
  return error instanceof UsageError || error instanceof ConfigError ? exitCodes.usage : exitCodes.failed
}

/** An error of commander, with our prefix, and without values, because a value in the wrong place may be a secret. */
const usageError = (text: string, program: Command): string =>
  text
    .replace(/^error: /, 'hookserver: ')
    .replace(/(?<=unknown command '(.*)')$/m, (_, name: string) => subcommandHint(name, program))
    .replace(/=.*'/s, "=…'")
    .replace(/( but got \d+): .*/s, '$1.\n')

/** Commands that users look for under another name. */
const otherNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['logs', ['deliveries list --follow', 'deliveries show']],
  ['replay', ['deliveries retry']],
  ['status', ['processes', 'doctor']],
])

/** The commands that contain a subcommand with the name of an unknown command. */
function subcommandHint(name: string, program: Command): string {
  const groups = program.commands.filter(({ commands }) => commands.some((one) => one.name() === name))
  const found = [...(otherNames.get(name) ?? []), ...groups.map((group) => `${group.name()} ${name}`)]
  return found.length === 0 ? '' : `\n(Did you mean ${found.join(', ').replace(/, (?=[^,]*$)/, ' or ')}?)`
}

const helpCommand = ['help [command]', 'Show the help of a command'] as const

/** The command line, with all its commands. */
export function createProgram(): Command {
  const program = new Command('hookserver')
  program
    .description('Receives GitHub webhooks, stores them, and runs your handlers.')
    .version(version, '-v, --version', 'Print the version')
    .helpOption('-h, --help', 'Show help')
    .helpCommand(...helpCommand)
    .exitOverride()
    .hook('preAction', readEnvFile)
    .configureOutput({
      writeOut: (text) => void print(text),
      outputError: (text, write) => write(usageError(text, program)),
    })
    .addHelpText('after', '\nRun hookserver <command> --help for the details and examples of a command.')
  addInit(program)
  addServe(program)
  addSend(program)
  addDeliveries(program, helpCommand)
  addFailures(program, helpCommand)
  addHandlers(program, helpCommand)
  addSchedules(program, helpCommand)
  addAudit(program)
  addProcesses(program)
  addRecover(program)
  addWebhooks(program, helpCommand)
  addRanges(program)
  addApp(program, helpCommand)
  addGitHub(program)
  addProbot(program, helpCommand)
  addMigrate(program)
  addDoctor(program)
  addCompletion(program)
  pointToHelp(program, 'hookserver')
  return program
}

/** After an invalid command line, points to the help of that command instead of the list of all commands. */
function pointToHelp(command: Command, path: string): void {
  const contents = command.commands.length > 0 ? 'list its commands' : 'see its flags and examples'
  command.showHelpAfterError(`(run npx ${path} --help to ${contents})`)
  for (const child of command.commands) pointToHelp(child, `${path} ${child.name()}`)
}
