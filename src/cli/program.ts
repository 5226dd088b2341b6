import { Command } from 'commander'
import { version } from '../runtime/platform.ts'
import { addApp } from './app/index.ts'
import { addCompletion } from './completion.ts'
import { addExport, addImport } from './deliveries/export-import.ts'
import { addList } from './deliveries/list.ts'
import { addDiscard, addRetry } from './deliveries/retry-discard.ts'
import { addShow } from './deliveries/show.ts'
import { addDoctor } from './doctor/index.ts'
import { readEnvFile } from './env-file-flags.ts'
import { addCheck } from './hooks/check.ts'
import { addDelete } from './hooks/delete.ts'
import { addEnsure } from './hooks/ensure.ts'
import { addListWebhooks } from './hooks/list.ts'
import { addRotate } from './hooks/rotate.ts'
import { addInit } from './init/index.ts'
import { addMigrate } from './migrate.ts'
import { print } from './output.ts'
import { addPause } from './pause.ts'
import { addProcesses } from './processes.ts'
import { addRanges } from './ranges.ts'
import { addRecover } from './recover/index.ts'
import { addSend } from './send/index.ts'
import { addServe } from './serve.ts'

/** Removes values from error messages: a value in the wrong place may be a secret. */
const withoutValues = (text: string): string => text.replace(/=.*'/s, "=…'").replace(/( but got \d+): .*/s, '$1.\n')

const helpCommand = ['help [command]', 'Show the help of a command'] as const

/** The command line, with all its commands. */
export function createProgram(): Command {
  const program = new Command('hookserver')
    .description('Receives GitHub webhooks, stores them, and runs your handlers.')
    .version(version, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Show help')
    .helpCommand(...helpCommand)
    .showHelpAfterError('(run hookserver --help to list all commands)')
    .exitOverride()
    .hook('preAction', readEnvFile)
    .configureOutput({ writeOut: (text) => void print(text), outputError: (text, write) => write(withoutValues(text)) })
    .addHelpText('after', '\nRun hookserver <command> --help for the details and examples of a command.')
  addInit(program)
  addServe(program)
  addSend(program)
  addDeliveries(program)
  addPause(program)
  addProcesses(program)
  addRecover(program)
  addHooks(program)
  addRanges(program)
  addApp(program, helpCommand)
  addMigrate(program)
  addDoctor(program)
  addCompletion(program)
  return program
}

function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .helpCommand(...helpCommand)
    .summary('List, show, retry, discard, export and import deliveries')
    .description(
      'Shows and changes the deliveries in a database or on a remote server. A server may be using the database at the same time.',
    )
  for (const add of [addList, addShow, addRetry, addDiscard, addExport, addImport]) add(deliveries)
  deliveries.addHelpText('after', deliveriesExamples)
}

const deliveriesExamples = `
Examples:
  hookserver deliveries list state:dead     list deliveries that failed and are not retried
  hookserver deliveries show 42             show why a delivery failed
  hookserver deliveries retry 42            retry it after you have fixed the cause
  hookserver deliveries <command> --help    show the details and examples of a command`

function addHooks(program: Command): void {
  const hooks = program
    .command('hooks')
    .helpCommand(...helpCommand)
    .summary('Create, check, rotate and delete webhooks on GitHub')
    .description(
      'Creates, checks and changes webhooks on GitHub. Name them as acme/shop#7 (by id), acme/shop or acme (the webhook ' +
        'that delivers to --url), or app (the webhook of your GitHub App).',
    )
  for (const add of [addEnsure, addListWebhooks, addCheck, addRotate, addDelete]) add(hooks)
  hooks.addHelpText('after', hooksExamples)
}

const hooksExamples = `
Credentials: GITHUB_TOKEN with the permission "Webhooks" (read and write), or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY.

Examples:
  hookserver hooks ensure acme/shop --url https://hooks.example/hooks --module hooks.ts
  hookserver hooks check acme/shop --url https://hooks.example/hooks
  hookserver hooks <command> --help      show the details and examples of a command`
