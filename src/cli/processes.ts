import type { Command } from 'commander'
import type { RegisteredProcess } from '../inbox/processes.ts'
import { age } from './elapsed.ts'
import { jsonLine, printable, printLines, terminalWidth } from './printing.ts'
import { type Column, Table } from './table.ts'
import { addWhereabouts, type Whereabouts, withOperator } from './whereabouts.ts'

interface Flags extends Whereabouts {
  json?: true
}

export function addProcesses(program: Command): void {
  const command = program
    .command('processes')
    .summary('list the processes that receive and handle')
    .description(
      'Lists the processes that share the database, in the order in which they started: where they run, and whether they ' +
        'receive, handle, or both. Each says every ten seconds that it is there; one that was killed is listed for a minute more.',
    )
  addWhereabouts(command).option('--json', 'one JSON object a line; times are in milliseconds since 1970')
  command.addHelpText('after', examples)
  command.action((flags: Flags) => processes(flags))
}

const examples = `
Examples:
  hookserver processes
  hookserver processes --json | jq 'select(.role == "worker") | .pid'
  hookserver processes --admin-url https://hooks.example --admin-token-file ./token`

async function processes(flags: Flags): Promise<void> {
  const found = await withOperator(flags, (operator) => operator.processes())
  if (flags.json) return void (await printLines(found.map(jsonLine)))
  if (found.length === 0) return console.error('No process is there.')
  const now = Date.now()
  await printLines(new Table(columns, terminalWidth()).lines(found.map((one) => rowOf(one, now))))
}

const columns: readonly Column[] = [
  { title: 'HOST', least: 8 },
  { title: 'PID' },
  { title: 'ROLE' },
  { title: 'VERSION' },
  { title: 'STARTED' },
  { title: 'LAST SEEN' },
]

function rowOf({ host, pid, role, version, startedAt, seenAt }: RegisteredProcess, now: number): string[] {
  const times = [startedAt, seenAt].map((at) => `${age(at, now)} ago`)
  return [printable(host), String(pid), role, printable(version), ...times]
}
