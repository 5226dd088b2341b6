import type { Command } from 'commander'
import { addExport } from './export.ts'
import { addImport } from './import.ts'
import { addList } from './list.ts'
import { addDiscard, addRetry } from './retry-discard.ts'
import { addShow } from './show.ts'

export function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .summary('List, show, retry, discard, export and import deliveries')
    .description(
      'Shows and changes the deliveries in a database, or of a remote server. The server may run or not while you use a database.',
    )
  for (const add of [addList, addShow, addRetry, addDiscard, addExport, addImport]) add(deliveries)
  deliveries.addHelpText('after', examples)
}

const examples = `
Examples:
  hookserver deliveries list state:dead     deliveries whose handlers failed for good
  hookserver deliveries show 42             why one failed
  hookserver deliveries retry 42            once the cause is fixed
  hookserver deliveries <command> --help    explains each command, with examples`
