import type { Command } from 'commander'
import type { Selection } from '../../inbox/query/query.ts'
import { confirm, isAnswered } from '../confirm.ts'
import { UsageError } from '../errors.ts'
import type { Operator } from '../operator.ts'
import { counted, printLines } from '../printing.ts'
import { addWhereabouts, type Whereabouts, withOperator } from '../whereabouts.ts'
import { addFilters, type Filters, queryWords } from './filters.ts'
import { pick, selectionOf } from './picking.ts'

interface Flags extends Filters, Whereabouts {
  query?: string
  yes?: true
  dryRun?: true
}

/** Something that is done to many deliveries. */
interface Act {
  /** As in "Retry 3 deliveries?" and in "Retried 3 deliveries". */
  verb: string
  past: string
  /** Why some may be left out. */
  except: string
  perform(operator: Operator, selection: Selection): Promise<number>
}

export function addRetry(parent: Command): void {
  const command = parent
    .command('retry [id...]')
    .summary('have deliveries handled again')
    .description(
      'Has deliveries handled again, at once: by the handlers that have not succeeded, and of one that is done by all.',
    )
  addPicking(command, 'retry')
  command.action((ids: readonly string[], flags: Flags) => {
    const except = 'they are not there, or nothing of them has failed yet'
    const perform: Act['perform'] = (operator, selection) => operator.retry(selection)
    return act(ids, flags, { verb: 'Retry', past: 'Retried', except, perform })
  })
}

export function addDiscard(parent: Command): void {
  const command = parent
    .command('discard [id...]')
    .summary('end deliveries that have not ended, or are dead')
    .description('Ends deliveries that have not ended, and those that are dead. They can be retried later.')
    .option('--reason <text>', 'why, for whoever looks at them later', 'Discarded from the command line')
  addPicking(command, 'discard')
  command.action((ids: readonly string[], flags: Flags & { reason: string }) => {
    const except = 'they are not there, or have ended'
    const perform: Act['perform'] = (operator, selection) => operator.discard(selection, flags.reason)
    return act(ids, flags, { verb: 'Discard', past: 'Discarded', except, perform })
  })
}

function addPicking(command: Command, name: string): void {
  command.option('--query <words>', 'those that a query finds; asks before it does anything')
  addWhereabouts(
    addFilters(command).option('--yes', 'do not ask: for scripts').option('--dry-run', 'only say how many they are'),
  )
  command.addHelpText('after', queryWords + examplesOf(name))
}

const examplesOf = (name: string) => `

Examples:
  hookserver deliveries ${name} 42 43
  hookserver deliveries ${name} --query 'state:dead handler:deploy' --dry-run
  hookserver deliveries ${name} --state dead --since 2h
  hookserver deliveries ${name} --query state:dead --yes${name === 'discard' ? " --reason 'not needed any more'" : ''}`

async function act(ids: readonly string[], flags: Flags, { verb, past, except, perform }: Act): Promise<void> {
  const selection = selectionOf(ids, flags)
  const asks = !('ids' in selection) && !flags.yes && !flags.dryRun
  if (asks && !isAnswered())
    throw new UsageError('There is no terminal to ask on: say --yes, or --dry-run to count them')
  await withOperator(flags, async (operator) => {
    const named = 'ids' in selection
    const picked = named && !flags.dryRun ? { selection, count: selection.ids.length } : await pick(operator, selection)
    if (flags.dryRun)
      return void (await printLines([`${deliveries(picked.count)}; nothing was done, for it is a dry run.`]))
    if (picked.count === 0) return void (await printLines(['0 deliveries: there is nothing to do.']))
    if (asks && !(await confirm(`${verb} ${deliveries(picked.count)}?`))) {
      return void (await printLines(['Nothing was done.']))
    }
    const count = await perform(operator, picked.selection)
    await printLines([`${past} ${deliveries(count)}.`])
    if (count >= picked.count) return
    console.error(`Left out ${picked.count - count}: ${except}.`)
    if (named) process.exitCode = 1
  })
}

const deliveries = (count: number): string => counted(count, 'delivery', 'deliveries')
