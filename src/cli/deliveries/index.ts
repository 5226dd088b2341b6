import type { Command } from 'commander'
import { addExport, addImport } from './export-import.ts'
import { addList } from './list.ts'
import { addDiscard, addRetry } from './retry-discard.ts'
import { addShow } from './show.ts'

/** @param helpCommand The usage and the description of the subcommand `help`. */
export function addDeliveries(program: Command, helpCommand: readonly [string, string]): void {
  const deliveries = program
    .command('deliveries')
    .helpCommand(...helpCommand)
    .summary('List, show, retry, discard, export and import deliveries')
    .description(
      'Shows and changes the deliveries in a database or on a remote server. A server may be using the database at the same time.',
    )
  for (const add of [addList, addShow, addRetry, addDiscard, addExport, addImport]) add(deliveries)
  deliveries.addHelpText('after', examples)
}

const examples = `
Examples:
  hookserver deliveries list state:dead     list deliveries that failed and are not retried
  hookserver deliveries show 42             show why a delivery failed
  hookserver deliveries retry 42            retry it after you have fixed the cause
  hookserver deliveries <command> --help    show the details and examples of a command`
