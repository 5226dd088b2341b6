import type { Command } from 'commander'
import { hintsFor } from '../../inbox/query/hints.ts'
import type { Query } from '../../inbox/query/query.ts'
import type { DeliveryState, DeliverySummary } from '../../inbox/records.ts'
import { formatAge } from '../../runtime/format.ts'
import { missingWorkerNote } from '../admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, UsageError, wholeNumber, withClient } from '../flags.ts'
import { eventName, jsonLine, printable, printLines, stateStyles, terminalWidth } from '../output.ts'
import { type Column, Table } from '../table.ts'
import { follow } from './follow.ts'
import { addFilters, type Filters, queryFrom, queryHelp, search } from './selection.ts'

interface Flags extends Filters, ConnectionFlags {
  limit?: number
  all?: true
  follow?: true
  json?: true
}

/** The numbers of deliveries to list without `--limit`. */
const usualLimits = { list: 50, follow: 10 }

export function addList(parent: Command): void {
  const command = parent
    .command('list [query...]')
    .summary('List deliveries, newest first')
    .description(
      'Lists the newest deliveries, or the newest that match a query. With --follow, prints new ones as they arrive.',
    )
  addConnectionFlags(
    addFilters(command)
      .option(
        '-n, --limit <count>',
        `Number of deliveries to list (default: ${usualLimits.list}; with --follow: ${usualLimits.follow})`,
        wholeNumber('--limit', 999_999_999),
      )
      .option('--all', 'List all deliveries')
      .option('-f, --follow', 'Print new deliveries as they arrive, until Ctrl+C')
      .option('--json', 'Print one JSON object per line, with all fields; times in milliseconds since 1970'),
  )
    .addHelpText('after', queryHelp + examples)
    .action(list)
}

const examples = `

Examples:
  hookserver deliveries list
  hookserver deliveries list --follow
  hookserver deliveries list state:dead --since 2h
  hookserver deliveries list event:issues acme pull_request.number:12
  hookserver deliveries list https://github.com/acme/shop/pull/182
  hookserver deliveries list --repository acme/shop --all --json | jq .guid
  hookserver deliveries list --server https://hooks.example --admin-token-file ./token`

/** The number of rows for which the widths of the columns are computed together. */
const batchSize = 500

async function list(words: readonly string[], flags: Flags): Promise<void> {
  const now = Date.now()
  const query = queryFrom(words.join(' '), flags, now)
  if (flags.follow) return followList(query, flags)
  const max = flags.all ? Number.POSITIVE_INFINITY : (flags.limit ?? usualLimits.list)
  await withClient(flags, async (client) => {
    const table = new Table([idColumn, { title: 'AGE' }, ...columns], terminalWidth())
    const batch: DeliverySummary[] = []
    let found = 0
    let waiting = false
    const printBatch = () => {
      const deliveries = batch.splice(0)
      return printLines(
        flags.json
          ? deliveries.map(jsonLine)
          : table.lines(deliveries.map((one) => rowOf(one, formatAge(one.receivedAt, now)))),
      )
    }
    for await (const deliveries of search(client, query, max)) {
      found += deliveries.length
      waiting ||= deliveries.some(({ state }) => state === 'pending' || state === 'retrying')
      batch.push(...deliveries)
      if ((flags.json || batch.length >= batchSize) && !(await printBatch())) return
    }
    if (batch.length > 0) await printBatch()
    const note = waiting && !flags.json ? await missingWorkerNote(client) : undefined
    if (note !== undefined) console.error(`hookserver: ${note}`)
    if (found > 0) return
    if (!flags.json) console.error('No deliveries found.')
    for (const hint of hintsFor(query)) console.error(`hookserver: ${printable(hint)}`)
  })
}

async function followList(query: Query, { all, limit = usualLimits.follow, json, ...flags }: Flags): Promise<void> {
  if (all) throw new UsageError('--all and --follow cannot be used together: leave one of them out')
  await withClient(flags, async (client) => {
    const followed = [idColumn, { title: 'TIME' }, ...columns].map((column) => {
      return { ...column, usualWidth: usualWidths[column.title] ?? 0 }
    })
    const table = new Table(followed, terminalWidth())
    const toRow = (one: DeliverySummary) => rowOf(one, new Date(one.receivedAt).toTimeString().slice(0, 8))
    await follow(client, query, limit, (deliveries) =>
      printLines(json ? deliveries.map(jsonLine) : table.lines(deliveries.map(toRow))),
    )
  })
}

const idColumn: Column = { title: 'ID' }

/**
 * The title and the error are last, because a terminal may show a title wider than computed, and would then move the
 * columns after it.
 */
const columns: readonly Column[] = [
  { title: 'STATE', style: (text) => stateStyles[text as DeliveryState] },
  { title: 'EVENT', minWidth: 8 },
  { title: 'REPOSITORY', minWidth: 8 },
  { title: 'SENDER', minWidth: 6 },
  { title: 'TITLE', minWidth: 5 },
  { title: 'ERROR', minWidth: 5, style: () => stateStyles.dead },
]

/** The widths with `--follow`, where most rows are not known when the first ones are printed. */
const usualWidths: Readonly<Record<string, number>> = {
  ID: 4,
  TIME: 8,
  STATE: 9,
  EVENT: 24,
  REPOSITORY: 24,
  SENDER: 12,
  TITLE: 24,
}

/** @param time When the delivery was received, as text. */
function rowOf(delivery: DeliverySummary, time: string): string[] {
  const { id, state, repository = '', sender = '', title, ref = '', failure } = delivery
  const error = [failure?.handler, failure?.error].filter((text) => text !== undefined).join(': ')
  const texts = [eventName(delivery), repository, sender, title ?? ref, error].map(printable)
  return [String(id), time, state, ...texts]
}
