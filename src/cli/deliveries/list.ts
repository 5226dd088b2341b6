import type { Command } from 'commander'
import type { DeliveryState, DeliverySummary } from '../../inbox/records.ts'
import { age } from '../elapsed.ts'
import { UsageError } from '../errors.ts'
import { jsonLine, printable, printLines, terminalWidth } from '../printing.ts'
import { type Column, Table } from '../table.ts'
import { addWhereabouts, type Whereabouts, withOperator } from '../whereabouts.ts'
import { addFilters, type Filters, queryOf, queryWords } from './filters.ts'
import { search } from './search.ts'
import { stateStyles } from './state-styles.ts'

interface Flags extends Filters, Whereabouts {
  limit?: string
  all?: true
  json?: true
}

export function addList(parent: Command): void {
  const command = parent
    .command('list [query...]')
    .summary('list deliveries, the newest first')
    .description('Lists deliveries, the newest first: all of them, or what a query finds.')
  addWhereabouts(
    addFilters(command)
      .option('--limit <count>', `how many (${usualLimit})`)
      .option('--all', 'all that there are')
      .option('--json', 'one JSON object a line, with all that a list knows; times are in milliseconds since 1970'),
  )
  command.addHelpText('after', queryWords + examples)
  command.action((words: readonly string[], flags: Flags) => list(words, flags))
}

const usualLimit = '50'

const examples = `

Examples:
  hookserver deliveries list
  hookserver deliveries list state:dead --since 2h
  hookserver deliveries list event:issues acme pull_request.number:12
  hookserver deliveries list --repository acme/shop --all --json | jq .guid
  hookserver deliveries list --admin-url https://hooks.example --admin-token-file ./token`

/** Rows that are set in one go. */
const portion = 500

async function list(words: readonly string[], flags: Flags): Promise<void> {
  const now = Date.now()
  const query = queryOf(words.join(' '), flags, now)
  const most = flags.all ? Number.POSITIVE_INFINITY : countOf(flags.limit ?? usualLimit)
  await withOperator(flags, async (operator) => {
    const table = new Table(columns, terminalWidth())
    let waiting: DeliverySummary[] = []
    let found = 0
    for await (const deliveries of search(operator, query, most)) {
      found += deliveries.length
      if (flags.json) {
        if (!(await printLines(deliveries.map(jsonLine)))) return
        continue
      }
      waiting.push(...deliveries)
      if (waiting.length < portion) continue
      if (!(await printLines(table.lines(waiting.map((one) => rowOf(one, now)))))) return
      waiting = []
    }
    if (waiting.length > 0) await printLines(table.lines(waiting.map((one) => rowOf(one, now))))
    if (found === 0 && !flags.json) console.error('There are no such deliveries.')
  })
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`--limit: expected a whole number from 1 on, got ${JSON.stringify(text)}`)
}

/** The title comes last: what is wider there than it seems moves nothing else. */
const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'AGE' },
  { title: 'STATE', style: (text) => stateStyles[text as DeliveryState] },
  { title: 'EVENT', least: 8 },
  { title: 'REPOSITORY', least: 8 },
  { title: 'SENDER', least: 6 },
  { title: 'TITLE', least: 5 },
]

function rowOf(delivery: DeliverySummary, now: number): string[] {
  const { id, receivedAt, state, event, action, repository = '', sender = '', title, ref = '' } = delivery
  const name = action === undefined ? event : `${event}.${action}`
  return [String(id), age(receivedAt, now), state, ...[name, repository, sender, title ?? ref].map(printable)]
}
