import type { Command } from 'commander'
import { type AuditEntry, type AuditTarget, auditAccess, auditActions } from '../inbox/audit-log.ts'
import { formatAge, plural } from '../runtime/format.ts'
import type { AuditListQuery } from './admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, invalidValue, wholeNumber, withClient } from './flags.ts'
import { jsonLine, printable, printLines, terminalWidth } from './output.ts'
import { readPages } from './read-pages.ts'
import { type Column, Table } from './table.ts'

interface Flags extends ConnectionFlags {
  action?: string
  access?: string
  person?: string
  limit: number
  json?: true
}

export function addAudit(program: Command): void {
  const command = program
    .command('audit')
    .summary('Show who changed what')
    .description(
      'Lists what operators changed through the dashboard, the API and the command line, the newest entries first. An ' +
        'action that failed or changed nothing has no entry.',
    )
    .option('--action <action>', `Only one action: ${auditActions.join(', ')}`)
    .option('--access <access>', `Only one kind of access: ${auditAccess.join(', ')}`)
    .option('--person <name>', 'Only one person, as the column PERSON shows it')
    .option('--limit <count>', 'Number of entries to list', wholeNumber('--limit', 999_999_999), 50)
    .option('--json', 'Print one JSON object per line; times in milliseconds since 1970')
  addConnectionFlags(command).addHelpText('after', examples).action(listEntries)
}

const examples = `
The person of a command that opened the database itself is the user of the operating system.
A token has no person: --json shows the address of its client.

Examples:
  hookserver audit
  hookserver audit --action discard --limit 10
  hookserver audit --action 'run schedule'
  hookserver audit --json | jq 'select(.deliveries | index(42))'      entries that list delivery 42`

/** The maximum number of entries in a page. */
const maxPage = 500

async function listEntries({ limit, json, ...flags }: Flags): Promise<void> {
  const conditions: AuditListQuery = {
    action: oneOf('--action', auditActions, flags.action),
    access: oneOf('--access', auditAccess, flags.access),
    person: flags.person,
  }
  await withClient(flags, async (client) => {
    const entries = await readPages(limit, maxPage, (page) => client.audit({ ...conditions, ...page }))
    if (json) return void (await printLines(entries.map(jsonLine)))
    if (entries.length === 0) return console.error('No entries.')
    const now = Date.now()
    await printLines(new Table(columns, terminalWidth()).lines(entries.map((entry) => rowOf(entry, now))))
  })
}

/** @throws {UsageError} */
function oneOf<Word extends string>(flag: string, words: readonly Word[], text: string | undefined): Word | undefined {
  const word = words.find((one) => one === text)
  if (text === undefined || word !== undefined) return word
  throw invalidValue(flag, `one of ${words.join(', ')}`, text)
}

const columns: readonly Column[] = [
  { title: 'AGE' },
  { title: 'ACTION' },
  { title: 'PERSON', minWidth: 6 },
  { title: 'ACCESS' },
  { title: 'RESULT' },
  { title: 'TARGET', minWidth: 20 },
]

function rowOf(entry: AuditEntry, now: number): string[] {
  const { at, action, person = '-', access } = entry
  return [formatAge(at, now), action, person, access, resultText(entry), targetText(entry)].map(printable)
}

function resultText({ action, target, count }: AuditEntry): string {
  if (['pause', 'resume', 'login', 'logout'].includes(action)) return '-'
  return target.failureGroup === undefined ? plural(count, 'delivery', 'deliveries') : plural(count, 'task')
}

function targetText({ target, deliveries }: AuditEntry): string {
  const names: readonly (keyof AuditTarget)[] = ['search', 'handler', 'schedule', 'event', 'reason']
  const texts = names.flatMap((name) => (target[name] === undefined ? [] : [`${name} ${target[name]}`]))
  if (target.failureGroup !== undefined) texts.push(`failure ${target.failureGroup}`)
  if (target.webhooks !== undefined) texts.push(target.webhooks.join(' '))
  if (deliveries.length > 0) texts.push(`id ${deliveries.join(' ')}`)
  return texts.join(', ') || '-'
}
