import type { Command } from 'commander'
import type { Operator } from '../operator.ts'
import { counted, jsonLine, printLines } from '../printing.ts'
import { addWhereabouts, type Whereabouts, withOperator } from '../whereabouts.ts'
import { exportHeader } from './exported.ts'
import { addFilters, type Filters, queryOf, queryWords } from './filters.ts'
import { search } from './search.ts'

interface Flags extends Filters, Whereabouts {}

export function addExport(parent: Command): void {
  const command = parent
    .command('export [query...]')
    .summary('write deliveries to standard output, to be imported elsewhere')
    .description(
      'Writes deliveries to standard output, the oldest first, one JSON object a line: their bytes, headers, handlers and attempts. ' +
        'All of them, or what a query finds. "deliveries import" reads it.',
    )
  addWhereabouts(addFilters(command))
  command.addHelpText('after', queryWords + examples)
  command.action((words: readonly string[], flags: Flags) => exportAll(words, flags))
}

const examples = `

Payloads are in it as they came: keep it like the database.

Examples:
  hookserver deliveries export > deliveries.jsonl
  hookserver deliveries export --since 7d | zstd > week.jsonl.zst
  hookserver deliveries export --database old.db | hookserver deliveries import - --database new.db`

async function exportAll(words: readonly string[], flags: Flags): Promise<void> {
  const query = queryOf(words.join(' '), flags, Date.now())
  await withOperator(flags, async (operator) => {
    const ids: number[] = []
    for await (const page of search(operator, query, Number.POSITIVE_INFINITY)) ids.push(...page.map(({ id }) => id))
    if (!(await printLines([jsonLine(exportHeader)]))) return
    let left = 0
    for (const id of ids.reverse()) {
      const line = await lineOf(operator, id)
      if (line === undefined) left++
      else if (!(await printLines([line]))) return
    }
    const gone = left > 0 ? ` ${counted(left, 'delivery', 'deliveries')} went meanwhile, for their age.` : ''
    console.error(`Exported ${counted(ids.length - left, 'delivery', 'deliveries')}.${gone}`)
  })
}

async function lineOf(operator: Operator, id: number): Promise<string | undefined> {
  const [detail, body] = await Promise.all([operator.get(id), operator.body(id)])
  return detail && body && jsonLine({ ...detail, body: Buffer.from(body).toString('base64') })
}
