import type { Command } from 'commander'
import { formatAge } from '../runtime/format.ts'
import type { ScheduleStatus } from '../schedules/operate.ts'
import type { AdminClient } from './admin-client.ts'
import { changePause } from './change-pause.ts'
import { addConnectionFlags, type ConnectionFlags, withClient } from './flags.ts'
import { jsonLine, printable, printLines, stateStyles, terminalWidth } from './output.ts'
import { type Column, Table } from './table.ts'

interface Flags extends ConnectionFlags {
  json?: true
}

/** @param helpCommand The usage and the description of the subcommand `help`. */
export function addSchedules(program: Command, helpCommand: readonly [string, string]): void {
  const schedules = program
    .command('schedules')
    .helpCommand(...helpCommand)
    .summary('List, run, pause and resume schedules')
    .description('Lists the schedules that workers have or had, makes their deliveries now, and pauses them.')
    .addHelpText('after', examples)
  addList(schedules)
  addRun(schedules)
  addPause(
    schedules,
    'pause',
    'Pauses the handler of a schedule in every process. Its deliveries wait until you resume it.',
  )
  addPause(schedules, 'resume', 'Resumes the handler of a schedule in every process.')
}

const examples = `
Examples:
  hookserver schedules list
  hookserver schedules run stale
  hookserver schedules pause stale`

function addList(parent: Command): void {
  const list = parent
    .command('list')
    .summary('List the schedules, their next time, and their last delivery')
    .description('Lists the schedules that workers have or had, their next time in UTC, and their last delivery.')
  addConnectionFlags(list)
    .option('--json', 'Print one JSON object per line; times in milliseconds since 1970')
    .action(listSchedules)
}

async function listSchedules(flags: Flags): Promise<void> {
  const schedules = await withClient(flags, (client) => client.schedules())
  if (flags.json) return void (await printLines(schedules.map(jsonLine)))
  if (schedules.length === 0) return console.error('No worker has had a schedule yet.')
  const now = Date.now()
  await printLines(new Table(columns, terminalWidth()).lines(schedules.map((one) => rowOf(one, now))))
}

const columns: readonly Column[] = [
  { title: 'SCHEDULE', minWidth: 8 },
  { title: 'TIME', minWidth: 9 },
  { title: 'NEXT', style: (text) => (text === 'paused' ? 'yellow' : undefined) },
  { title: 'LAST' },
  { title: 'STATE', style: (text) => stateStyles[text as keyof typeof stateStyles] },
]

function rowOf({ name, time, timezone, next, paused, last }: ScheduleStatus, now: number): string[] {
  const at = next === undefined ? 'never' : `${new Date(next).toISOString().slice(0, 16).replace('T', ' ')}`
  const lastAt = last ? `${formatAge(last.at, now)} ago` : ''
  const when = timezone === undefined ? time : `${time} (${timezone})`
  return [printable(name), printable(when), paused ? 'paused' : at, lastAt, last?.state ?? '']
}

function addRun(parent: Command): void {
  const run = parent
    .command('run <schedule>')
    .summary('Make a delivery of a schedule now')
    .description('Makes a delivery of a schedule now. A worker runs its handler. The next time stays the same.')
  addConnectionFlags(run).option('--json', 'Print one JSON object')
  run.action(async (name: string, flags: Flags) => {
    const { id, guid } = await withClient(flags, (client) => client.runSchedule(name))
    await printLines([flags.json ? jsonLine({ id, guid }) : `Made delivery ${id} of ${printable(name)}.`])
  })
}

function addPause(parent: Command, action: 'pause' | 'resume', description: string): void {
  const command = parent
    .command(`${action} <schedule>`)
    .summary(`${action === 'pause' ? 'Pause' : 'Resume'} the handler of a schedule`)
    .description(description)
  addConnectionFlags(command).option('--json', 'Print one JSON object')
  command.action(async (name: string, flags: Flags) => {
    await withClient(flags, async (client) => {
      await assertSchedule(client, name)
      const { changed, paused } = await changePause(client, action, name)
      const done = action === 'pause' ? 'Paused' : changed ? 'Resumed' : 'Not paused:'
      const result = { action, schedule: name, changed, paused }
      await printLines([flags.json ? jsonLine(result) : `${done} ${printable(name)}.`])
    })
  })
}

/** @throws {Error} if there is no such schedule. */
async function assertSchedule(client: AdminClient, name: string): Promise<void> {
  const names = (await client.schedules()).map((one) => one.name)
  if (!names.includes(name)) throw new Error(`There is no schedule ${printable(name)}: see "hookserver schedules list"`)
}
