import type { Command } from 'commander'
import type { Selection } from '../../inbox/query/query.ts'
import type { AdminClient } from '../admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, UsageError, withClient } from '../flags.ts'
import { deliveryCount, jsonLine, operationResult, printable, printLines } from '../output.ts'
import { confirm, requireConfirmable } from '../prompts.ts'
import { addFilters, countSelection, type Filters, queryHelp, selectionFrom } from './selection.ts'

interface Flags extends Filters, ConnectionFlags {
  query?: string
  yes?: true
  dryRun?: true
  json?: true
}

/** An operation on many deliveries. */
interface Operation {
  action: 'retry' | 'discard'
  /** As in "Retry 3 deliveries?" */
  verb: string
  /** Why a delivery that exists may be skipped. */
  skipReason: string
  run(client: AdminClient, selection: Selection): Promise<number>
}

export function addRetry(parent: Command): void {
  const command = parent
    .command('retry [id...]')
    .summary('Retry deliveries now')
    .description('Runs handlers again now: those that have not succeeded, or all handlers of a delivery that is done.')
    .option('--handler <name>', 'Run only this handler again, also if it has succeeded')
  addSelectionFlags(command, 'retry').action((ids: readonly string[], flags: Flags & { handler?: string }) => {
    const { handler } = flags
    if (handler === '') throw new UsageError('--handler needs the name of a handler, as "handlers list" shows it')
    const skipReason =
      handler === undefined
        ? 'no handler has to be retried'
        : `${printable(handler)} is no handler of the delivery, or has still to run`
    const run: Operation['run'] = (client, selection) => client.retry(selection, handler)
    return operate(ids, flags, { action: 'retry', verb: 'Retry', skipReason, run })
  })
}

export function addDiscard(parent: Command): void {
  const command = parent
    .command('discard [id...]')
    .summary('Discard deliveries that are unfinished or dead')
    .description('Discards deliveries that are unfinished or dead. You can still retry them later.')
    .option('--reason <text>', 'Reason to show with the delivery', 'Discarded from the command line')
  addSelectionFlags(command, 'discard').action((ids: readonly string[], flags: Flags & { reason: string }) => {
    const skipReason = 'already done, discarded or ignored'
    const run: Operation['run'] = (client, selection) => client.discard(selection, flags.reason)
    return operate(ids, flags, { action: 'discard', verb: 'Discard', skipReason, run })
  })
}

function addSelectionFlags(command: Command, name: string): Command {
  addFilters(command.option('--query <words>', 'Select the deliveries that match a query; asks for confirmation'))
    .option('--yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only count the deliveries')
    .option('--json', 'Print one JSON object')
  return addConnectionFlags(command).addHelpText('after', queryHelp + examplesOf(name))
}

const examplesOf = (name: string) => `

Examples:
  hookserver deliveries ${name} 42 43${name === 'retry' ? '\n  hookserver deliveries retry 42 --handler deploy' : ''}
  hookserver deliveries ${name} --query 'state:dead handler:deploy' --dry-run
  hookserver deliveries ${name} --state dead --since 2h
  hookserver deliveries ${name} --query state:dead --yes${name === 'discard' ? " --reason 'not needed any more'" : ''}`

/** The count for the question ends after this many deliveries. Operators need no exact larger number. */
const maxCounted = 10_000

async function operate(ids: readonly string[], flags: Flags, operation: Operation): Promise<void> {
  const { action, verb, skipReason, run } = operation
  const { dryRun = false, json } = flags
  const given = selectionFrom(ids, flags)
  const byId = 'ids' in given
  const yes = byId || flags.yes || flags.dryRun
  requireConfirmable({ yes, otherwise: '--dry-run to count the deliveries' })
  await withClient(flags, async (client) => {
    const { selection, count, isMore } =
      byId && !dryRun
        ? { selection: given, count: given.ids.length, isMore: false }
        : await countSelection(client, given, dryRun ? Number.POSITIVE_INFINITY : maxCounted)
    const selected = isMore ? undefined : count
    const report = (changed: number, text: string) =>
      printLines([json ? jsonLine({ action, selected, changed, dryRun }) : text])
    if (dryRun) return report(0, `${deliveryCount(count)} selected. Dry run: nothing was changed.`)
    if (count === 0) return report(0, 'No deliveries selected. Nothing was changed.')
    const isConfirmed = await confirm(`${verb} ${isMore ? 'more than ' : ''}${deliveryCount(count)}?`, { yes })
    if (!isConfirmed) return report(0, 'Nothing was changed.')
    const changed = await run(client, selection)
    await report(changed, operationResult(action, deliveryCount(changed), changed))
    if (isMore || changed >= count) return
    if (!byId) return console.error(`Skipped ${count - changed}: not found, or ${skipReason}.`)
    process.exitCode = 1
    const missing = await missingIds(client, given.ids)
    if (missing.length > 0) console.error(`Not found: ${missing.join(', ')}.`)
    const skipped = count - changed - missing.length
    if (skipped > 0) console.error(`Skipped ${skipped}: ${skipReason}.`)
  })
}

async function missingIds(client: AdminClient, ids: readonly number[]): Promise<number[]> {
  const missing: number[] = []
  for (const id of ids) if (!(await client.get(id))) missing.push(id)
  return missing
}
