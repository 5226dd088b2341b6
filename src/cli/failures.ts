import type { Command } from 'commander'
import type { FailureGroup, FailureGroupDetail } from '../inbox/failure-groups.ts'
import { parseTimestamp } from '../inbox/query/timestamp.ts'
import { formatAge, plural } from '../runtime/format.ts'
import type { AdminClient } from './admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, invalidValue, wholeNumber, withClient } from './flags.ts'
import {
  eventName,
  jsonLine,
  operationResult,
  printable,
  printableLines,
  printLines,
  styled,
  terminalWidth,
} from './output.ts'
import { confirm, requireConfirmable } from './prompts.ts'
import { readPages } from './read-pages.ts'
import { type Column, Table } from './table.ts'

/** @param helpCommand The usage and the description of the subcommand `help`. */
export function addFailures(program: Command, helpCommand: readonly [string, string]): void {
  const failures = program
    .command('failures')
    .helpCommand(...helpCommand)
    .summary('List, show, retry and discard failures, grouped by error')
    .description(
      'Groups unresolved failures by handler and error, ignoring numbers, ids, hashes, times, addresses and quoted texts. ' +
        'Without a subcommand, lists the groups.',
    )
    .addHelpText('after', examples)
  addList(failures)
  addShow(failures)
  addOperation(failures, {
    ...{ action: 'retry', verb: 'Retry' },
    description:
      'Runs the dead and retrying tasks of a group again now. Does not change other tasks of the same deliveries.',
    run: (client, id) => client.retryFailures(id),
  })
  addOperation(failures, {
    ...{ action: 'discard', verb: 'Discard' },
    description: 'Discards the dead and retrying tasks of a group. You can still retry their deliveries later.',
    run: (client, id, reason) => client.discardFailures(id, reason),
  })
}

const examples = `
Examples:
  hookserver failures                       list the groups, the latest failure first
  hookserver failures show 98233451327      show the newest error of a group with its stack
  hookserver failures retry 98233451327     retry its tasks after you have fixed the cause
  hookserver failures <command> --help      show the details and examples of a command`

interface ListFlags extends ConnectionFlags {
  handler?: string
  since?: string
  limit: number
  json?: true
}

function addList(parent: Command): void {
  const list = parent
    .command('list', { isDefault: true })
    .summary('List failure groups, the latest failure first')
    .description('Lists the groups of unresolved failures, the latest failure first.')
    .option('--handler <name>', 'Only failures of a handler')
    .option('--since <time>', 'Only groups that failed since a time: 30m, 2h, 7d or 2026-01-31T12:00Z')
    .option('--limit <count>', 'Number of groups to list', wholeNumber('--limit', 999_999_999), 50)
    .option('--json', 'Print one JSON object per line; times in milliseconds since 1970')
  addConnectionFlags(list).addHelpText('after', listExamples).action(listGroups)
}

const listExamples = `
Examples:
  hookserver failures list
  hookserver failures list --handler deploy --since 2h
  hookserver failures list --json | jq 'select(.tasks.dead > 10) | .id'`

/** The maximum number of groups in a page. */
const maxPage = 100

async function listGroups({ handler, limit, json, ...flags }: ListFlags): Promise<void> {
  const now = Date.now()
  const since = flags.since === undefined ? undefined : sinceIn(flags.since, now)
  await withClient(flags, async (client) => {
    const groups = await readPages(limit, maxPage, async (page) => {
      const { failures, next } = await client.failures({ handler, since, ...page })
      return { entries: failures, next }
    })
    if (json) return void (await printLines(groups.map(jsonLine)))
    if (groups.length === 0) return console.error('No unresolved failures.')
    await printLines(new Table(columns, terminalWidth()).lines(groups.map((group) => rowOf(group, now))))
  })
}

/** @throws {UsageError} */
function sinceIn(text: string, now: number): number {
  const since = parseTimestamp(text, now)
  if (since !== undefined) return since
  throw invalidValue('--since', 'a duration such as 30m, 2h or 7d, or a date such as 2026-01-31', text)
}

/** The error is last, because it is the longest. */
const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'DEAD', style: (text) => (text === '0' ? undefined : 'red') },
  { title: 'RETRYING', style: (text) => (text === '0' ? undefined : 'yellow') },
  { title: 'FIRST' },
  { title: 'LAST' },
  { title: 'HANDLER', minWidth: 7 },
  { title: 'REPOSITORIES', minWidth: 8 },
  { title: 'ERROR', minWidth: 20 },
]

function rowOf(group: FailureGroup, now: number): string[] {
  const { id, tasks, firstAt, lastAt, handler, error } = group
  const ages = [firstAt, lastAt].map((at) => formatAge(at, now))
  const names = group.repositories.map(({ repository }) => repository).join(', ')
  return [String(id), String(tasks.dead), String(tasks.retrying), ...ages, ...[handler, names, error].map(printable)]
}

function addShow(parent: Command): void {
  const show = parent
    .command('show <id>')
    .summary('Show a failure group with its newest error')
    .description('Shows the counts and times of a failure group, and its newest error with the stack.')
    .option('--json', 'Print one JSON object with all fields; times in milliseconds since 1970')
  addConnectionFlags(show)
    .addHelpText('after', '\nExample:\n  hookserver failures show 98233451327')
    .action(async (text: string, flags: ConnectionFlags & { json?: true }) => {
      const id = groupId(text)
      const group = await withClient(flags, async (client) => required(id, await client.failure(id)))
      await printLines(flags.json ? [jsonLine(group)] : sections(group))
    })
}

/** The id of a group. @throws {UsageError} */
function groupId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw invalidValue('id', 'the id of a failure group, as "failures list" shows it', text)
}

function required(id: number, group: FailureGroupDetail | undefined): FailureGroupDetail {
  if (group) return group
  throw new Error(`There is no failure group ${id}: it never existed, or all of its failures are resolved`)
}

function sections(group: FailureGroupDetail): string[] {
  const { id, handler, error, tasks, firstAt, lastAt, returnedAt, repositories, example } = group
  const states = Object.entries(tasks).filter(([, count]) => count > 0)
  const fields: [name: string, value: string | number | undefined][] = [
    ['failure', id],
    ['handler', handler],
    ['error', error],
    ['tasks', states.map(([state, count]) => `${count} ${state}`).join(', ')],
    ['first', new Date(firstAt).toISOString()],
    ['last', new Date(lastAt).toISOString()],
    ['returned', returnedAt === undefined ? undefined : new Date(returnedAt).toISOString()],
    ['repositories', repositories.map(({ repository, count }) => `${repository} (${count})`).join(', ') || undefined],
  ]
  const lines = fields.flatMap(([name, value]) => {
    return value === undefined ? [] : [`  ${name.padEnd(12)}  ${printable(String(value))}`]
  })
  if (!example) return lines
  const { attempt } = example
  const title = `Newest failure: delivery ${example.id}, ${printable(eventName(example))}`
  const number = attempt === undefined ? '' : `, attempt ${attempt.number}`
  const text = printableLines(attempt?.error ?? 'The attempt is not stored.').map((line) => `  ${line}`)
  return [...lines, '', styled('bold', title + number), ...text]
}

interface Operation {
  action: 'retry' | 'discard'
  /** As in "Retry 3 tasks?" */
  verb: string
  description: string
  run(client: AdminClient, id: number, reason: string): Promise<number>
}

interface OperationFlags extends ConnectionFlags {
  reason?: string
  yes?: true
  dryRun?: true
  json?: true
}

function addOperation(parent: Command, operation: Operation): void {
  const { action, verb, description } = operation
  const command = parent
    .command(`${action} <id>`)
    .summary(`${verb} all tasks of a failure group`)
    .description(`${description} Asks for confirmation.`)
  if (action === 'discard') {
    command.option('--reason <text>', 'Reason to show with the deliveries', 'Discarded from the command line')
  }
  command
    .option('--yes', 'Do not ask for confirmation')
    .option('--dry-run', 'Only count the tasks')
    .option('--json', 'Print one JSON object')
  addConnectionFlags(command)
    .addHelpText(
      'after',
      `\nExamples:\n  hookserver failures ${action} 98233451327 --dry-run\n  hookserver failures ${action} 98233451327 --yes`,
    )
    .action((text: string, flags: OperationFlags) => operate(groupId(text), flags, operation))
}

async function operate(id: number, flags: OperationFlags, { action, verb, run }: Operation): Promise<void> {
  const { dryRun = false, json, reason = '' } = flags
  const yes = flags.yes || flags.dryRun
  requireConfirmable({ yes, otherwise: '--dry-run to count the tasks' })
  await withClient(flags, async (client) => {
    const { tasks, handler, error } = required(id, await client.failure(id))
    const selected = tasks.dead + tasks.retrying
    const report = (changed: number, text: string) =>
      printLines([json ? jsonLine({ action, id, selected, changed, dryRun }) : text])
    if (dryRun) return report(0, `${plural(selected, 'task')} selected. Dry run: nothing was changed.`)
    if (selected === 0) return report(0, 'The group has no dead or retrying tasks. Nothing was changed.')
    const what = `${plural(selected, 'task')} of ${printable(handler)} (${printable(error)})`
    if (!(await confirm(`${verb} ${what}?`, { yes }))) return report(0, 'Nothing was changed.')
    const changed = await run(client, id, reason)
    await report(changed, operationResult(action, plural(changed, 'task'), changed))
  })
}
