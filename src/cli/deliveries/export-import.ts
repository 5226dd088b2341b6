/** An export has one JSON object per line: a header, then the deliveries, then their number. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import { settlingTime } from '../../github/log-position.ts'
import { continueInbox, type LookbackLimits } from '../../github/lookback.ts'
import type { ImportedDelivery } from '../../inbox/inbox.ts'
import { newAuditEntry } from '../../inbox/new-audit-entry.ts'
import { parseQuery } from '../../inbox/query/parse-query.ts'
import { operatorSource } from '../../inbox/records.ts'
import { isObject, type Json, objectIn } from '../../runtime/json.ts'
import { scheduleEvent } from '../../schedules/schedule.ts'
import { isFile } from '../../server/config/database-settings.ts'
import type { Config } from '../../server/config/resolve-config.ts'
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
import { addFilters, type Filters, isEmpty, queryFrom, queryHelp, search } from './selection.ts'
import { type Line, LongLine, maxLineBytes, splitLines } from './split-lines.ts'

/** The first line of an export. */
interface Header {
  hookserver: 'deliveries'
  /** An export of version 1 has no last line. */
  version: number
  /** How far recovery and polling look back after an import. Missing in version 1. */
  lookback?: LookbackLimits | undefined
}

/** The last line. Without it, the export is incomplete: its writer was stopped, or the disk was full. */
interface LastLine {
  hookserver: 'end'
  deliveries: number
}

const currentVersion = 2

export function addExport(parent: Command): void {
  const command = parent
    .command('export [query...]')
    .summary('Export deliveries to standard output')
    .description(
      'Writes deliveries to standard output, the oldest first: all deliveries, or those that match a query. After a ' +
        'header, each line is a JSON object with body, headers, handlers and attempts. The last line has the number of ' +
        'deliveries. "deliveries import" reads the output.',
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
    const lookback = await lookbackAfter(client, { isComplete: isEmpty(query) })
    const ids: number[] = []
    for await (const page of search(client, query)) ids.push(...page.map(({ id }) => id))
    const header: Header = { hookserver: 'deliveries', version: currentVersion, lookback }
    if (!(await printLines([jsonLine(header)]))) return
    let pruned = 0
    for (const id of ids.reverse()) {
      const line = await exportLine(client, id)
      if (line === undefined) pruned++
      else if (!(await printLines([line]))) return
    }
    const end: LastLine = { hookserver: 'end', deliveries: ids.length - pruned }
    if (!(await printLines([jsonLine(end)]))) return
    const note = pruned > 0 ? ` ${deliveryCount(pruned)} pruned during the export.` : ''
    console.error(`Exported ${deliveryCount(end.deliveries)}.${note}`)
  })
}

/** Deliveries from GitHub. Schedules and operators may make others after the last poll of GitHub's log. */
const fromGitHub = parseQuery(`-source:${scheduleEvent},${operatorSource}`)

/**
 * After the import of all deliveries, recovery looks back as far as before, and polling to the newest delivery of GitHub.
 * An attempt may appear in GitHub's log later than a newer one, so polling looks back a little more. If a query left out
 * deliveries, both look back to the newest delivery: otherwise, they would take those for missed ones.
 */
async function lookbackAfter(
  client: AdminClient,
  { isComplete }: { isComplete: boolean },
): Promise<LookbackLimits | undefined> {
  const recoverSince = await client.recoverSince()
  if (recoverSince === undefined) return undefined
  let newest = recoverSince
  for await (const [delivery] of search(client, fromGitHub, 1)) newest = delivery?.receivedAt ?? newest
  return isComplete ? { recoverSince, pollSince: newest - settlingTime } : { recoverSince: newest, pollSince: newest }
}

/**
 * @returns `undefined` if the delivery does not exist.
 * @throws {Error} if the line would be too long, because the body has 384 MiB or more.
 */
export async function exportLine(client: Pick<AdminClient, 'get' | 'body'>, id: number): Promise<string | undefined> {
  const [detail, body] = await Promise.all([client.get(id), client.body(id)])
  if (!detail || !body) return undefined
  try {
    return jsonLine({ ...detail, body: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64') })
  } catch {
    throw new Error(`Cannot export delivery ${id}: its line would be longer than ${maxLineBytes} bytes`)
  }
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
        'deliveries only. Deliveries that exist are skipped, so you can repeat an import. Exits with 1 if the export is ' +
        'incomplete.',
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
  const lines = readLines(file)
  try {
    // Before the database, which an import creates or migrates.
    const header = await readHeader(lines, file)
    await importInto(config, readDeliveries(lines, header, file), { ...flags, file, ...header })
  } finally {
    await lines.return() // otherwise, the process would wait for the end of standard input
  }
}

async function importInto(
  config: Config,
  deliveries: AsyncIterable<DeliveryLine>,
  { file, lookback, json }: Pick<Header, 'lookback'> & { file: string; json?: true },
): Promise<void> {
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
    for await (const line of deliveries) {
      batch.push(line)
      bytes += line.body.length
      if (batch.length < maxBatchSize && bytes < maxBatchBytes) continue
      await importBatch()
      bytes = 0
    }
  }
  try {
    await importAll().finally(importBatch) // the lines before an unreadable line are imported
    // Only now: recovery would take the deliveries that are not imported for missed ones.
    if (lookback) await continueInbox(inbox, lookback)
  } finally {
    await inbox.close()
    const skipped = read - imported
    const note = skipped > 0 ? ` Skipped ${deliveryCount(skipped)} that already existed.` : ''
    await printLines([json ? jsonLine({ imported, skipped }) : `Imported ${deliveryCount(imported)}.${note}`])
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

/** @throws {Error} if the file cannot be read, or a line is too long. */
async function* readLines(file: string): AsyncGenerator<Line, void, undefined> {
  const input: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file)
  try {
    yield* splitLines(input)
  } catch (error) {
    if (error instanceof LongLine) failAtLine(file, error.line, error)
    throw new Error(`Cannot read ${nameOf(file)}: ${(error as Error).message}`)
  }
}

/** @throws {Error} if the first line is not the header of an export that this version can read. */
async function readHeader(lines: AsyncGenerator<Line, void, undefined>, file: string): Promise<Header> {
  const { value: first } = await lines.next()
  if (!first) throw new Error(`${nameOf(file)} is empty`)
  try {
    return parseHeader(first.text)
  } catch (error) {
    failAtLine(file, first.number, error as Error)
  }
}

/**
 * The deliveries on the lines after the header.
 * @throws {Error} if a line cannot be read, which the error names without its text, or if the export is incomplete.
 */
async function* readDeliveries(
  lines: AsyncIterable<Line>,
  { version }: Header,
  file: string,
): AsyncGenerator<DeliveryLine, void, undefined> {
  let count = 0
  let exported: number | undefined
  for await (const { text, number } of lines) {
    if (text === '') continue
    let delivery: ImportedDelivery | undefined
    try {
      if (exported !== undefined) throw new Error('the export has ended before this line')
      const line = parseJson(text)
      if (isLastLine(line)) exported = line.deliveries
      else delivery = parseDelivery(line)
    } catch (error) {
      failAtLine(file, number, error as Error)
    }
    if (!delivery) continue
    count++
    yield { ...delivery, number }
  }
  if (version === 1 || count === exported) return
  const missing = exported === undefined ? 'its last line is missing' : `it has ${count} of ${deliveryCount(exported)}`
  throw new Error(
    `${nameOf(file)} is incomplete: ${missing}. Its deliveries were imported. Export again, and import the new file: ` +
      'deliveries that exist are skipped',
  )
}

/** The redirection `>` of PowerShell 5 writes UTF-16, and its `Out-File -Encoding utf8` begins with a byte order mark. */
function parseHeader(line: string): Header {
  if (line.includes('h\0o\0o\0k')) throw new Error('UTF-16 text: convert the file to UTF-8')
  if (/\0|\ufffd/.test(line)) throw new Error('not a text: if the file is compressed, decompress it first')
  const { hookserver, version, lookback } = (parseJson(line.replace(/^\ufeff/, '')) ?? {}) as Partial<Header>
  if (hookserver !== 'deliveries') {
    throw new Error('not an export: create one with "hookserver deliveries export"')
  }
  if (version !== 1 && version !== currentVersion) {
    throw new Error(
      `export version ${version} is not supported, only versions 1 to ${currentVersion}: upgrade hookserver`,
    )
  }
  if (lookback !== undefined) checkWhole(objectIn({ lookback }, 'lookback') ?? {}, ['recoverSince', 'pollSince'])
  return { hookserver, version, lookback }
}

const isLastLine = (line: unknown): line is LastLine => isObject(line) && line.hookserver === 'end'

/** Does not show the error of `JSON.parse()`, which would quote the line. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error('not JSON')
  }
}

/** Checks the types. The inbox checks the states and the numbers, and that handlers are different. */
function parseDelivery(line: unknown): ImportedDelivery {
  if (!isObject(line)) throw new Error('not a JSON object')
  const { body: text, sha256, ...delivery } = line
  checkTypes(line, 'string', ['body', 'sha256', 'source', 'hookId', 'guid', 'event', 'state'])
  checkWhole(line, ['receivedAt', 'storedAt', 'duplicates'])
  checkTypes(line, 'boolean', ['pulled', 'replayed'])
  checkTexts(line, ['address', 'secretId', 'algorithm', 'reason'])
  checkTexts(line, ['action', 'repository', 'sender', 'title', 'ref', 'sha'])
  if (!isObject(line.headers)) throw new Error('"headers" is missing')
  checkTypes(line.headers, 'string', Object.keys(line.headers))
  if (line.form !== 'json' && line.form !== 'form') throw new Error('"form" is neither "json" nor "form"')
  if (!Array.isArray(line.tasks)) throw new Error('"tasks" is not a list')
  for (const task of line.tasks) checkTask(task)
  const body = new Uint8Array(Buffer.from(text as string, 'base64'))
  const hash = createHash('sha256').update(body).digest('hex')
  if (hash !== sha256) throw new Error('"body" does not match "sha256"')
  return { delivery: delivery as unknown as ImportedDelivery['delivery'], body }
}

/**
 * Maximum characters of an optional text, such as the log of an attempt. Workers truncate these texts to fewer characters,
 * so the exports of hookserver pass the check. The limit bounds the size of a delivery in an answer of the admin API.
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
    checkTexts(attempt, ['error', 'result', 'log'], ' of an attempt')
  }
}

/** Checks texts that may be missing. */
function checkTexts(fields: Json, names: readonly string[], owner = ''): void {
  for (const name of names) {
    const text = fields[name]
    if (text === undefined || (typeof text === 'string' && text.length <= maxTextLength)) continue
    throw new Error(`"${name}"${owner} is not a string of at most ${maxTextLength} characters`)
  }
}

function checkWhole(fields: Json, names: readonly string[]): void {
  for (const name of names) if (!Number.isSafeInteger(fields[name])) throw new Error(`"${name}" is not a whole number`)
}

function checkTypes(fields: Json, type: 'string' | 'boolean', names: readonly string[]): void {
  for (const name of names) if (typeof fields[name] !== type) throw new Error(`"${name}" is not a ${type}`)
}
