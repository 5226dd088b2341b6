import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { ImportedDelivery } from '../../inbox/imported-delivery.ts'
import { openToLook } from '../../server/inbox.ts'
import { counted, printLines } from '../printing.ts'
import { addDatabase, type DatabaseFlag, readConfig } from '../starting.ts'
import { checkHeader, restoredIn } from './exported.ts'

type Flags = Partial<Record<DatabaseFlag, string>>

/** Deliveries, and bytes of them, that are taken in together. */
const [together, mostBytes] = [100, 4 * 2 ** 20]

export function addImport(parent: Command): void {
  const command = parent
    .command('import <file>')
    .summary('take in deliveries that were exported elsewhere')
    .description(
      'Takes in what "deliveries export" wrote, from a file or from standard input (-). Those that have ended stay as they ended; ' +
        'the others are handled here. What is here already is left as it is, so that an import can be repeated.',
    )
  const help =
    'the inbox that takes them in, a file or postgres://user@host/name; made if it is not there (hookserver.db)'
  addDatabase(command, help)
  command.addHelpText('after', examples)
  command.action((file: string, flags: Flags) => importAll(file, flags))
}

const examples = `
Stop the servers of both databases first, or deliveries that have not ended may be handled by both.

Examples:
  hookserver deliveries import deliveries.jsonl --database new.db
  hookserver deliveries import deliveries.jsonl --database postgres://hooks@db.example/hooks
  zstd -dc week.jsonl.zst | hookserver deliveries import -`

async function importAll(file: string, flags: Flags): Promise<void> {
  const config = readConfig({ flags: { ...flags }, env: process.env })
  const inbox = await openToLook(config, { migrate: true })
  let [read, taken] = [0, 0]
  let waiting: ImportedDelivery[] = []
  const take = async () => {
    taken += await inbox.importDeliveries(waiting)
    read += waiting.length
    waiting = []
  }
  try {
    let bytes = 0
    for await (const delivery of deliveriesIn(file)) {
      waiting.push(delivery)
      bytes += delivery.body.length
      if (waiting.length < together && bytes < mostBytes) continue
      await take()
      bytes = 0
    }
  } finally {
    await take()
    await inbox.close()
    const there = read > taken ? ` ${counted(read - taken, 'other')} were here already.` : ''
    await printLines([`Imported ${counted(taken, 'delivery', 'deliveries')}.${there}`])
  }
}

/** @throws {Error} naming the line that cannot be read. */
async function* deliveriesIn(file: string): AsyncGenerator<ImportedDelivery> {
  const name = file === '-' ? 'Standard input' : file
  const input = file === '-' ? process.stdin : createReadStream(file)
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (number === 1) checkHeader(parsed(line))
      else if (line !== '') yield restoredIn(parsed(line))
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== undefined) throw new Error(`${name} cannot be read: ${message}`)
    throw new Error(`${name}, line ${number}: ${message}. What stands before it was taken in.`)
  }
  if (number === 0) throw new Error(`${name} is empty`)
}

/** `JSON.parse()` quotes what it cannot read, which may be anything. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error('it is not JSON')
  }
}
