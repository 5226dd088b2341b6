import type { Command } from 'commander'
import { allHandlers } from '../inbox/pauses.ts'
import { formatAge, formatDuration } from '../runtime/format.ts'
import { suggestion } from '../runtime/nearest.ts'
import { windowNames } from '../server/api/series.ts'
import type { AdminClient, HandlerStatus } from './admin-client.ts'
import { changePause } from './change-pause.ts'
import { addConnectionFlags, type ConnectionFlags, invalidValue, UsageError, withClient } from './flags.ts'
import { jsonLine, printable, printLines, terminalWidth } from './output.ts'
import { type Column, Table } from './table.ts'

interface Flags extends ConnectionFlags {
  json?: true
}

interface PauseFlags extends Flags {
  all?: true
}

/** @param helpCommand The usage and the description of the subcommand `help`. */
export function addHandlers(program: Command, helpCommand: readonly [string, string]): void {
  const handlers = program
    .command('handlers')
    .helpCommand(...helpCommand)
    .summary('List, pause and resume handlers')
    .description('Lists the handlers that workers have or had, and pauses and resumes them in every process.')
    .addHelpText('after', examples)
  addList(handlers)
  addPause(handlers)
  addResume(handlers)
}

const examples = `
Examples:
  hookserver handlers list
  hookserver handlers pause deploy
  hookserver handlers <command> --help      show the details and examples of a command`

interface ListFlags extends Flags {
  window: string
}

function addList(parent: Command): void {
  const list = parent
    .command('list')
    .summary('List the handlers, their attempts, and how long these take')
    .description(
      'Lists the handlers that workers have or had, and paused handlers, with their names in "deliveries show".',
    )
    .option('--window <time>', `Attempts of the last ${windowNames.join(', ')}`, '1h')
  addConnectionFlags(list).option('--json', 'Print one JSON object per line').addHelpText('after', listExamples)
  list.action(listHandlers)
}

const listExamples = `
SUCCESS is the share of attempts that succeeded. P50, P95 and P99: half of the
attempts, 95 % and 99 % of them were not slower. WAITING counts the deliveries
that wait for an attempt now, and AGE is the longest wait. Long names are cut in
the middle: --json prints them in full.

Examples:
  hookserver handlers list
  hookserver handlers list --window 24h
  hookserver handlers list --json | jq -r 'select(.paused) | .name'
  hookserver handlers list --json | jq 'select(.statistics.durations.p95 > 5000)'`

async function listHandlers(flags: ListFlags): Promise<void> {
  const window = windowNames.find((one) => one === flags.window)
  if (!window) throw invalidValue('--window', `one of ${windowNames.join(', ')}`, flags.window)
  const found = await withClient(flags, (client) => client.handlers(window))
  const handlers = found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  if (flags.json) return void (await printLines(handlers.map(jsonLine)))
  if (handlers.length === 0) return console.error('No worker has had a handler yet.')
  const now = Date.now()
  await printLines(new Table(columns, terminalWidth()).lines(handlers.map((handler) => cellsOf(handler, now))))
}

function cellsOf({ name, paused, statistics }: HandlerStatus, now: number): string[] {
  const { attempts, succeeded, failed, dead, durations, running, waiting, waitingSince } = statistics
  const ended = succeeded + failed + dead
  const { p50, p95, p99 } = durations ?? {}
  return [
    ...[shortened(printable(name)), paused ? 'paused' : 'active', String(attempts)],
    ended === 0 ? '' : `${Math.floor((succeeded / ended) * 100)} %`,
    ...[p50, p95, p99].map((ms) => (ms === undefined ? '' : formatDuration(ms))),
    ...[String(running), String(waiting), waitingSince === undefined ? '' : formatAge(waitingSince, now)],
  ]
}

/** Characters. The handlers of Probot apps have longer names: their events, the file and the function. */
const maxNameLength = 48

/** The beginning and the end of a long name: the events, and the function. */
function shortened(name: string): string {
  if (name.length <= maxNameLength) return name
  const half = Math.floor((maxNameLength - 1) / 2)
  return `${name.slice(0, half)}…${name.slice(-half)}`
}

const columns: readonly Column[] = [
  { title: 'HANDLER', minWidth: 8 },
  { title: 'STATE', style: (text) => (text === 'paused' ? 'yellow' : undefined) },
  ...['ATTEMPTS', 'SUCCESS', 'P50', 'P95', 'P99', 'RUNNING', 'WAITING', 'AGE'].map((title) => ({ title })),
]

function addPause(parent: Command): void {
  const pause = parent
    .command('pause [handler]')
    .summary('Pause a handler, or all handlers')
    .description(
      'Pauses a handler, or all handlers, in every process. A restart does not resume them. ' +
        'The server still receives and stores deliveries, and running attempts finish.',
    )
    .option('--all', 'Pause all handlers')
  addPauseFlags(pause).addHelpText('after', pauseExamples)
  pause.action((name: string | undefined, flags: PauseFlags) => setPaused('pause', name, flags))
}

const pauseExamples = `
Examples:
  hookserver handlers pause hook:issues.opened     pause one handler, by its name in "handlers list"
  hookserver handlers pause --all                  pause all handlers`

function addResume(parent: Command): void {
  const resume = parent
    .command('resume [handler]')
    .summary('Resume a handler, or all handlers')
    .description('Undoes "pause". A handler that you paused by name must be resumed by name.')
    .option('--all', 'Undo "pause --all"')
  addPauseFlags(resume).addHelpText('after', resumeExamples)
  resume.action((name: string | undefined, flags: PauseFlags) => setPaused('resume', name, flags))
}

const resumeExamples = `
Examples:
  hookserver handlers resume hook:issues.opened    after "handlers pause hook:issues.opened"
  hookserver handlers resume --all                 after "handlers pause --all"`

const addPauseFlags = (command: Command): Command =>
  addConnectionFlags(command).option('--json', 'Print one JSON object')

async function setPaused(action: 'pause' | 'resume', name: string | undefined, flags: PauseFlags): Promise<void> {
  const handler = nameFrom(action, name, flags)
  await withClient(flags, async (client) => {
    const { changed, paused, known } = await changePause(client, action, handler)
    if (flags.json) await printLines([jsonLine({ action, handler, changed, paused })])
    else await printLines([changeText(action, handler, changed), pausedText(paused)])
    if (action === 'pause' && handler !== allHandlers) await warnIfUnknown(client, handler, known)
  })
}

/** @throws {UsageError} unless the command line has either a name or --all: an empty variable must not mean all. */
function nameFrom(action: string, name: string | undefined, { all }: PauseFlags): string {
  if (all && name !== undefined) throw new UsageError('Pass either the name of a handler or --all, not both')
  if (all) return allHandlers
  if (name) return name
  throw new UsageError(`Which handler? Name it, as "handlers list" does, or pass --all to ${action} all handlers`)
}

function changeText(action: 'pause' | 'resume', handler: string, changed: boolean): string {
  if (action === 'pause') return `Paused ${nameOf(handler)}.`
  return changed ? `Resumed ${nameOf(handler)}.` : `Not paused: ${nameOf(handler)}.`
}

function pausedText(paused: readonly string[]): string {
  return paused.length === 0 ? 'No handler is paused now.' : `Paused now: ${paused.map(nameOf).join(', ')}.`
}

/** Warns about a handler that no worker has and that has no deliveries: its name may be misspelled, or it is not deployed. */
async function warnIfUnknown(client: AdminClient, handler: string, known: readonly string[]): Promise<void> {
  if (known.includes(handler)) return
  const { deliveries, next } = await client.list({ handler, limit: 1 })
  if (deliveries.length > 0 || next !== undefined) return
  const correction = suggestion(handler, known)
  const text = `No worker has the handler ${nameOf(handler)}.${correction || ' Check the name, or deploy the handler.'}`
  const undo = correction && ` To undo this: hookserver handlers resume ${nameOf(handler)}`
  console.error(printable(text + undo))
}

const nameOf = (handler: string): string => (handler === allHandlers ? 'all handlers' : printable(handler))
