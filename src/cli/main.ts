#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addCompletion } from './completion.ts'
import { addDeliveries } from './deliveries/index.ts'
import { addDoctor } from './doctor.ts'
import { UsageError } from './errors.ts'
import { addMigrate } from './migrate.ts'
import { addPause } from './pause.ts'
import { print, printable } from './printing.ts'
import { addProcesses } from './processes.ts'
import { addRanges } from './ranges.ts'
import { addRecover } from './recover/index.ts'
import { addSend } from './send.ts'
import { addServe } from './serve.ts'

/** What a command ends with. */
const [failed, usage] = [1, 2]

/** Whatever was typed in a wrong place may be a secret. */
const withoutValues = (text: string): string => text.replace(/=[^']*'/g, "=…'").replace(/( but got \d+): .*/s, '$1.\n')

const program = new Command('hookserver')
  .description('Receives GitHub webhooks: stores them, hands them to your functions, and shows what became of them.')
  .showHelpAfterError('(hookserver --help shows what there is)')
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

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : usage
  else {
    for (const line of (error as Error).message.split('\n')) console.error(`hookserver: ${printable(line)}`)
    process.exitCode = error instanceof UsageError ? usage : failed
  }
}
