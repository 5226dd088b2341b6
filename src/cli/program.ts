import { Command } from 'commander'
import { addCompletion } from './completion.ts'
import { addDeliveries } from './deliveries/index.ts'
import { addDoctor } from './doctor/index.ts'
import { addMigrate } from './migrate.ts'
import { print } from './output.ts'
import { addPause } from './pause.ts'
import { addProcesses } from './processes.ts'
import { addRanges } from './ranges.ts'
import { addRecover } from './recover/index.ts'
import { addSend } from './send/index.ts'
import { addServe } from './serve.ts'

/** A value that was typed in the wrong place may be a secret, so error messages leave values out. */
const withoutValues = (text: string): string => text.replace(/=[^']*'/g, "=…'").replace(/( but got \d+): .*/s, '$1.\n')

/** The command line, with all its commands. */
export function createProgram(): Command {
  const program = new Command('hookserver')
    .description('Receives GitHub webhooks, stores them, runs your functions, and shows the results.')
    .showHelpAfterError('(run hookserver --help for all commands)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void print(text), outputError: (text, write) => write(withoutValues(text)) })
    .addHelpText('after', '\nhookserver <command> --help explains a command, with examples.')
  addServe(program)
  addSend(program)
  addDeliveries(program)
  addPause(program)
  addProcesses(program)
  addRecover(program)
  addRanges(program)
  addMigrate(program)
  addDoctor(program)
  addCompletion(program)
  return program
}
