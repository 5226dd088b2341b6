import type { Command } from 'commander'
import { hintsFor } from '../../inbox/query/hints.ts'
import type { DeliveryState, DeliverySummary } from '../../inbox/records.ts'
import { addConnectionFlags, type ConnectionFlags, wholeNumber, withClient } from '../flags.ts'
import { eventName, formatAge, jsonLine, printable, printLines, stateStyles, terminalWidth } from '../output.ts'
import { type Column, Table } from '../table.ts'
import { addFilters, type Filters, queryFrom, queryHelp, search } from './selection.ts'

interface Flags extends Filters, ConnectionFlags {
  limit: number
  all?: true
  json?: true
}

export function addList(parent: Command): void {
  const command = parent
    .command('list [query...]')
    .summary('List deliveries, newest first')
    .description('Lists the newest deliveries, or the newest that match a query. --limit sets their number.')
  addConnectionFlags(
    addFilters(command)
      .option('--limit <count>', 'Number of deliveries to list', wholeNumber('--limit', 999_999_999), 50)
      .option('--all', 'List all deliveries')
      .option('--json', 'Print one JSON object per line, with all fields; times in milliseconds since 1970'),
  )
    .addHelpText('after', queryHelp + examples)
    .action(list)
}

const examples = `

Examples:
  hookserver deliveries list
  hookserver deliveries list state:dead --since 2h
  hookserver deliveries list event:issues acme pull_request.number:12
  hookserver deliveries list https://github.com/acme/shop/pull/182
  hookserver deliveries list --repository acme/shop --all --json | jq .guid
  hookserver deliveries list --admin-url https://hooks.example --admin-token-file ./token`

/** The number of rows for which the widths of the columns are computed together. */
const batchSize = 500

async function list(words: readonly string[], flags: Flags): Promise<void> {
  const now = Date.now()
  const query = queryFrom(words.join(' '), flags, now)
  const max = flags.all ? Number.POSITIVE_INFINITY : flags.limit
  await withClient(flags, async (client) => {
    const table = new Table(columns, terminalWidth())
    const batch: DeliverySummary[] = []
    let found = 0
    const printBatch = () => {
      const deliveries = batch.splice(0)
      return printLines(flags.json ? deliveries.map(jsonLine) : table.lines(deliveries.map((one) => rowOf(one, now))))
    }
    for await (const deliveries of search(client, query, max)) {
      found += deliveries.length
      batch.push(...deliveries)
      if ((flags.json || batch.length >= batchSize) && !(await printBatch())) return
    }
    if (batch.length > 0) await printBatch()
    if (found > 0) return
    if (!flags.json) console.error('No deliveries found.')
    for (const hint of hintsFor(query)) console.error(`hookserver: ${printable(hint)}`)
  })
}

/** The title is last, because a terminal may show it wider than computed, and would then move columns after it. */
const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'AGE' },
  { title: 'STATE', style: (text) => stateStyles[text as DeliveryState] },
  { title: 'EVENT', minWidth: 8 },
  { title: 'REPOSITORY', minWidth: 8 },
  { title: 'SENDER', minWidth: 6 },
  { title: 'TITLE', minWidth: 5 },
]

function rowOf(delivery: DeliverySummary, now: number): string[] {
  const { id, receivedAt, state, repository = '', sender = '', title, ref = '' } = delivery
  const texts = [eventName(delivery), repository, sender, title ?? ref].map(printable)
  return [String(id), formatAge(receivedAt, now), state, ...texts]
}
