import type { Command } from 'commander'
import { addCreate } from './create.ts'
import { addDiff } from './diff.ts'
import { addImport } from './import.ts'
import { addStatus } from './status.ts'

/** @param helpCommand The usage and the description of the subcommand `help`. */
export function addApp(program: Command, helpCommand: readonly [string, string]): void {
  const app = program
    .command('app')
    .helpCommand(...helpCommand)
    .summary('Create, import, show and compare a GitHub App')
    .description('Creates or imports a GitHub App, or shows the App whose key is in the env file or the environment.')
  for (const add of [addCreate, addImport, addStatus, addDiff]) add(app)
  app.addHelpText('after', examples)
}

const examples = `
Examples:
  hookserver app create                  create an App for the handlers of hooks.ts
  hookserver app create --dry-run        print the manifest of that App
  hookserver app import --id 123456 --private-key bot.pem
  hookserver app status                  show the App, its installations and its last deliveries
  hookserver app diff                    compare the App with the handlers of hooks.ts
  hookserver app <command> --help        show the details and examples of a command`
