import type { Command } from 'commander'
import { addDiscard, addRetry } from './acting.ts'
import { addExport } from './export.ts'
import { addImport } from './import.ts'
import { addList } from './list.ts'
import { addShow } from './show.ts'

export function addDeliveries(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .summary('list, show, retry, discard, export and import what came')
    .description(
      'Shows and steers the deliveries in a database, or those of a server far away: with a server that runs, or without.',
    )
  for (const add of [addList, addShow, addRetry, addDiscard, addExport, addImport]) add(deliveries)
  deliveries.addHelpText('after', examples)
}

const examples = `
Examples:
  hookserver deliveries list state:dead     what nobody could handle
  hookserver deliveries show 42             why
  hookserver deliveries retry 42            once the cause is mended
  hookserver deliveries <command> --help    explains each, with more examples`
