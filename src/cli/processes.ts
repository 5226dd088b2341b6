import type { Command } from 'commander'
import type { RegisteredProcess } from '../inbox/processes.ts'
import { formatAge } from '../runtime/format.ts'
import { addConnectionFlags, type ConnectionFlags, withClient } from './flags.ts'
import { jsonLine, printable, printLines, terminalWidth } from './output.ts'
import { type Column, Table } from './table.ts'

export function addProcesses(program: Command): void {
  const command = program
    .command('processes')
    .summary('List the processes that use the inbox')
    .description(
      'Lists the processes that use the database, with their hosts and roles, in the order in which they started. ' +
        'Each process sends a heartbeat every 10 seconds. A killed process stays in the list for a minute, and is marked ' +
        'after 25 seconds.',
    )
  addConnectionFlags(command)
    .option('--json', 'Print one JSON object per line; times in milliseconds since 1970')
    .addHelpText('after', examples)
    .action(listProcesses)
}

const examples = `
Examples:
  hookserver processes
  hookserver processes --json | jq 'select(.role == "worker") | .pid'
  hookserver processes --server https://hooks.example --admin-token-file ./token`

async function listProcesses(flags: ConnectionFlags & { json?: true }): Promise<void> {
  const processes = await withClient(flags, (client) => client.processes())
  if (flags.json) return void (await printLines(processes.map(jsonLine)))
  if (processes.length === 0) return console.error('No process is running.')
  const now = Date.now()
  await printLines(new Table(columns, terminalWidth()).lines(processes.map((one) => rowOf(one, now))))
}

const columns: readonly Column[] = [
  { title: 'HOST', minWidth: 8 },
  { title: 'PID' },
  { title: 'ROLE' },
  { title: 'VERSION' },
  { title: 'STARTED' },
  { title: 'LAST SEEN' },
]

function rowOf({ host, pid, role, version, startedAt, seenAt, silent }: RegisteredProcess, now: number): string[] {
  const [started, seen] = [startedAt, seenAt].map((at) => `${formatAge(at, now)} ago`) as [string, string]
  return [printable(host), String(pid), role, printable(version), started, silent ? `${seen}: no heartbeat` : seen]
}
