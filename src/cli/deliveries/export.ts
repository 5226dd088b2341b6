import type { Command } from 'commander'
import type { AdminClient } from '../admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, withClient } from '../connection-flags.ts'
import { deliveryCount, jsonLine, printLines } from '../output.ts'
import { addFilters, type Filters, queryFrom, queryHelp, search } from './selection.ts'

/** The first line of an export. */
export const exportHeader = { hookserver: 'deliveries', version: 1 }

interface Flags extends Filters, ConnectionFlags {}

export function addExport(parent: Command): void {
  const command = parent
    .command('export [query...]')
    .summary('Write deliveries to standard output, for an import')
    .description(
      'Writes deliveries to standard output, the oldest first, as a JSON object per line: body, headers, handlers and attempts. ' +
        'All of them, or those that match a query. "deliveries import" reads the output.',
    )
  addConnectionFlags(addFilters(command))
  command.addHelpText('after', queryHelp + examples)
  command.action((words: readonly string[], flags: Flags) => exportDeliveries(words, flags))
}

const examples = `

An export contains the payloads as they were received: protect it like the database.

Examples:
  hookserver deliveries export > deliveries.jsonl
  hookserver deliveries export --since 7d | zstd > week.jsonl.zst
  hookserver deliveries export --database old.db | hookserver deliveries import - --database new.db`

async function exportDeliveries(words: readonly string[], flags: Flags): Promise<void> {
  const query = queryFrom(words.join(' '), flags, Date.now())
  await withClient(flags, async (client) => {
    const ids: number[] = []
    for await (const page of search(client, query, Number.POSITIVE_INFINITY)) ids.push(...page.map(({ id }) => id))
    if (!(await printLines([jsonLine(exportHeader)]))) return
    let pruned = 0
    for (const id of ids.reverse()) {
      const line = await exportLine(client, id)
      if (line === undefined) pruned++
      else if (!(await printLines([line]))) return
    }
    const note = pruned > 0 ? ` ${deliveryCount(pruned)} expired during the export.` : ''
    console.error(`Exported ${deliveryCount(ids.length - pruned)}.${note}`)
  })
}

async function exportLine(client: AdminClient, id: number): Promise<string | undefined> {
  const [detail, body] = await Promise.all([client.get(id), client.body(id)])
  return detail && body && jsonLine({ ...detail, body: Buffer.from(body).toString('base64') })
}
