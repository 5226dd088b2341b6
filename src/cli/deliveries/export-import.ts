/** An export has one JSON object per line: a header, then the deliveries. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import type { ImportedDelivery } from '../../inbox/inbox.ts'
import { newAuditEntry } from '../../inbox/new-audit-entry.ts'
import { isObject, type Json } from '../../runtime/json.ts'
import { isFile } from '../../server/config/database-settings.ts'
import { openPassively } from '../../server/open-inbox.ts'
import type { AdminClient } from '../admin-client.ts'
import { commandLineActor } from '../command-line-actor.ts'
import {
  addConnectionFlags,
  addDatabaseFlags,
  type ConnectionFlags,
  configFromFlags,
  type DatabaseFlags,
  withClient,
} from '../flags.ts'
import { deliveryCount, jsonLine, printLines } from '../output.ts'
import { addFilters, type Filters, queryFrom, queryHelp, search } from './selection.ts'

/** The first line of an export. */
const header = { hookserver: 'deliveries', version: 1 }

export function addExport(parent: Command): void {
  const command = parent
    .command('export [query...]')
    .summary('Export deliveries to standard output')
    .description(
      'Writes deliveries to standard output, the oldest first: all deliveries, or those that match a query. After a ' +
        'header, each line is a JSON object with body, headers, handlers and attempts. "deliveries import" reads the output.',
    )
  addConnectionFlags(addFilters(command))
    .addHelpText('after', queryHelp + exportExamples)
    .action(exportDeliveries)
}

const exportExamples = `

An export contains the original payloads: protect it like the database.

Examples:
  hookserver deliveries export > deliveries.jsonl
  hookserver deliveries export --since 7d | zstd > week.jsonl.zst
  hookserver deliveries export --database old.db | hookserver deliveries import - --database new.db`

async function exportDeliveries(words: readonly string[], flags: Filters & ConnectionFlags): Promise<void> {
  const query = queryFrom(words.join(' '), flags, Date.now())
  await withClient(flags, async (client) => {
    const ids: number[] = []
    for await (const page of search(client, query)) ids.push(...page.map(({ id }) => id))
    if (!(await printLines([jsonLine(header)]))) return
    let pruned = 0
    for (const id of ids.reverse()) {
      const line = await exportLine(client, id)
      if (line === undefined) pruned++
      else if (!(await printLines([line]))) return
    }
    const note = pruned > 0 ? ` ${deliveryCount(pruned)} pruned during the export.` : ''
    console.error(`Exported ${deliveryCount(ids.length - pruned)}.${note}`)
  })
}

async function exportLine(client: AdminClient, id: number): Promise<string | undefined> {
  const [detail, body] = await Promise.all([client.get(id), client.body(id)])
  return detail && body && jsonLine({ ...detail, body: Buffer.from(body).toString('base64') })
}

/**
 * Maximum deliveries and bytes of a transaction. They are low, because a transaction in SQLite keeps all other writes
 * waiting, such as those of new deliveries.
 */
const maxBatchSize = 25
const maxBatchBytes = 2 ** 20

export function addImport(parent: Command): void {
  const command = parent
    .command('import <file>')
    .summary('Import deliveries from an export')
    .description(
      'Imports the output of "deliveries export" from a file, or from standard input (-). Handlers run for unfinished ' +
        'deliveries only. Deliveries that exist are skipped, so you can repeat an import.',
    )
  const help = 'SQLite file or postgres:// URL to import into, created if needed (default: hookserver.db)'
  addDatabaseFlags(command, help)
    .option('--json', 'Print one JSON object')
    .addHelpText('after', importExamples)
    .action(importDeliveries)
}

const importExamples = `
Stop the servers of both databases first. Otherwise both may handle the unfinished deliveries.

Examples:
  hookserver deliveries import deliveries.jsonl --database new.db
  hookserver deliveries import deliveries.jsonl --database postgres://hooks@db.example/hooks
  zstd -dc week.jsonl.zst | hookserver deliveries import -`

async function importDeliveries(file: string, flags: DatabaseFlags & { json?: true }): Promise<void> {
  const config = configFromFlags(flags)
  const inbox = await openPassively(config, { migrate: true })
  const hasOneWriter = isFile(config.database.value)
  const entry = newAuditEntry(commandLineActor(), 'import')
  let [read, imported] = [0, 0]
  let batch: DeliveryLine[] = []
  const importLines = async (lines: readonly DeliveryLine[]) => {
    const startedAt = performance.now()
    imported += await inbox.importDeliveries(lines, entry)
    read += lines.length
    const duration = performance.now() - startedAt
    // Otherwise, a server would rarely find the file unlocked.
    if (hasOneWriter && (await inbox.processes()).length > 0) await new Promise((end) => setTimeout(end, duration))
  }
  const importBatch = async () => {
    const lines = batch
    batch = []
    try {
      await importLines(lines)
    } catch {
      // The inbox has stored nothing of the batch. One by one, it stores the deliveries before the one that it rejects.
      for (const line of lines) await importLines([line]).catch((error: Error) => failAtLine(file, line.number, error))
    }
  }
  const importAll = async () => {
    let bytes = 0
    for await (const line of readDeliveries(file)) {
      batch.push(line)
      bytes += line.body.length
      if (batch.length < maxBatchSize && bytes < maxBatchBytes) continue
      await importBatch()
      bytes = 0
    }
  }
  try {
    await importAll().finally(importBatch) // the lines before an unreadable line are imported
  } finally {
    await inbox.close()
    const skipped = read - imported
    const note = skipped > 0 ? ` Skipped ${deliveryCount(skipped)} that already existed.` : ''
    await printLines([flags.json ? jsonLine({ imported, skipped }) : `Imported ${deliveryCount(imported)}.${note}`])
  }
}

/** A delivery, and the number of its line. */
interface DeliveryLine extends ImportedDelivery {
  number: number
}

const nameOf = (file: string): string => (file === '-' ? 'Standard input' : file)

function failAtLine(file: string, number: number, { message }: Error): never {
  const note = number > 1 ? ' The deliveries on earlier lines were imported.' : ''
  throw new Error(`${nameOf(file)}, line ${number}: ${message}.${note}`)
}

/** @throws {Error} if the file or a line cannot be read. The error shows the number of a line, but not its text. */
async function* readDeliveries(file: string): AsyncGenerator<DeliveryLine> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (number === 1) checkHeader(parseHeader(line))
      else if (line !== '') yield { ...parseDelivery(parseJson(line)), number }
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== undefined) throw new Error(`Cannot read ${nameOf(file)}: ${message}`)
    failAtLine(file, number, error as Error)
  }
  if (number === 0) throw new Error(`${nameOf(file)} is empty`)
}

/** The redirection `>` of PowerShell 5 writes UTF-16, and its `Out-File -Encoding utf8` begins with a byte order mark. */
function parseHeader(line: string): unknown {
  if (line.includes('\0')) throw new Error('UTF-16 text: convert the file to UTF-8')
  return parseJson(line.replace(/^\ufeff/, ''))
}

/** Does not show the error of `JSON.parse()`, which would quote the line. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error('not JSON')
  }
}

function checkHeader(line: unknown): void {
  const { hookserver, version } = (line ?? {}) as Partial<typeof header>
  if (hookserver !== header.hookserver) {
    throw new Error('not an export: create one with "hookserver deliveries export"')
  }
  if (version !== header.version) {
    throw new Error(`export version ${version} is not supported, only version ${header.version}: upgrade hookserver`)
  }
}

/** Checks the types. The inbox checks the states, and that handlers are different. */
function parseDelivery(line: unknown): ImportedDelivery {
  if (!isObject(line)) throw new Error('not a JSON object')
  const { body: text, sha256, ...delivery } = line
  checkTypes(line, 'string', ['body', 'sha256', 'source', 'hookId', 'guid', 'event', 'state'])
  checkWhole(line, ['receivedAt', 'storedAt', 'duplicates'])
  checkTypes(line, 'boolean', ['pulled', 'replayed'])
  if (!isObject(line.headers)) throw new Error('"headers" is missing')
  if (line.form !== 'json' && line.form !== 'form') throw new Error('"form" is neither "json" nor "form"')
  if (!Array.isArray(line.tasks)) throw new Error('"tasks" is not a list')
  for (const task of line.tasks) checkTask(task)
  const body = new Uint8Array(Buffer.from(text as string, 'base64'))
  const hash = createHash('sha256').update(body).digest('hex')
  if (hash !== sha256) throw new Error('"body" does not match "sha256"')
  return { delivery: delivery as unknown as ImportedDelivery['delivery'], body }
}

/**
 * Maximum characters of the error, the result or the log of an attempt. Workers truncate these texts to fewer
 * characters, so the exports of hookserver pass the check. The limit bounds the size of a delivery in an answer of the
 * admin API.
 */
const maxTextLength = 65_536

function checkTask(task: unknown): void {
  if (!isObject(task)) throw new Error('an item of "tasks" is not an object')
  checkTypes(task, 'string', ['handler', 'state'])
  if (task.key !== undefined) checkTypes(task, 'string', ['key'])
  if (task.nextAttemptAt !== undefined) checkWhole(task, ['nextAttemptAt'])
  if (!Array.isArray(task.attempts)) throw new Error('"attempts" is not a list')
  for (const attempt of task.attempts) {
    if (!isObject(attempt)) throw new Error('an item of "attempts" is not an object')
    checkWhole(attempt, ['number', 'startedAt'])
    checkTypes(attempt, 'string', ['outcome'])
    for (const name of ['error', 'result', 'log']) {
      const text = attempt[name]
      if (text === undefined || (typeof text === 'string' && text.length <= maxTextLength)) continue
      throw new Error(`"${name}" of an attempt is not a string of at most ${maxTextLength} characters`)
    }
  }
}

function checkWhole(fields: Json, names: readonly string[]): void {
  for (const name of names) if (!Number.isSafeInteger(fields[name])) throw new Error(`"${name}" is not a whole number`)
}

function checkTypes(fields: Json, type: 'string' | 'boolean', names: readonly string[]): void {
  for (const name of names) if (typeof fields[name] !== type) throw new Error(`"${name}" is not a ${type}`)
}
