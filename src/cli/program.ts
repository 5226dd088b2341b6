import { Command } from 'commander'
import { version } from '../runtime/platform.ts'
import { addCompletion } from './completion.ts'
import { addExport, addImport } from './deliveries/export-import.ts'
import { addList } from './deliveries/list.ts'
import { addDiscard, addRetry } from './deliveries/retry-discard.ts'
import { addShow } from './deliveries/show.ts'
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
const withoutValues = (text: string): string => text.replace(/=.*'/s, "=…'").replace(/( but got \d+): .*/s, '$1.\n')

/** The command line, with all its commands. */
export function createProgram(): Command {
  const program = new Command('hookserver')
    .description('Receives GitHub webhooks, stores them, runs your functions, and shows the results.')
    .version(version, '-V, --version', 'Print the version')
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

function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .summary('List, show, retry, discard, export and import deliveries')
    .description(
      'Shows and changes the deliveries in a database, or of a remote server. The server may run or not while you use a database.',
    )
  for (const add of [addList, addShow, addRetry, addDiscard, addExport, addImport]) add(deliveries)
  deliveries.addHelpText('after', deliveriesExamples)
}

const deliveriesExamples = `
Examples:
  hookserver deliveries list state:dead     deliveries whose handlers failed for good
  hookserver deliveries show 42             why one failed
  hookserver deliveries retry 42            once the cause is fixed
  hookserver deliveries <command> --help    explains each command, with examples`
