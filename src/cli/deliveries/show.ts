import { stdout } from 'node:process'
import type { Command } from 'commander'
import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../inbox/records.ts'
import { formatDuration } from '../../runtime/format.ts'
import { escapeUnsafeInLines } from '../../runtime/untrusted-text.ts'
import { stackWithCode } from '../../server/config/code-excerpt.ts'
import { type AdminClient, missingWorkerNote } from '../admin-client.ts'
import { addConnectionFlags, type ConnectionFlags, UsageError, withClient } from '../flags.ts'
import { eventName, jsonLine, print, printable, printableLines, printLines, stateStyles, styled } from '../output.ts'
import { logLines } from './log-lines.ts'
import { parseId } from './selection.ts'

interface Flags extends ConnectionFlags {
  body?: true
  json?: true
}

export function addShow(parent: Command): void {
  const command = parent
    .command('show <id>')
    .summary('Show a delivery')
    .description(
      'Shows the fields of a delivery, a timeline with all attempts of its handlers, and its headers.\n' +
        'The id "latest" stands for the newest delivery.',
    )
    .option('--body', 'Print only the original payload')
    .option('--json', 'Print one JSON object with all fields; times in milliseconds since 1970')
  addConnectionFlags(command).addHelpText('after', examples).action(show)
}

const examples = `
Examples:
  hookserver deliveries show 42
  hookserver deliveries show latest
  hookserver deliveries show 42 --body | jq .pull_request.title
  hookserver deliveries show 42 --json | jq -r '.tasks[].attempts[].error'`

async function show(text: string, flags: Flags): Promise<void> {
  if (flags.body && flags.json) throw new UsageError('--body and --json cannot be used together: leave one of them out')
  const given = text === 'latest' ? undefined : parseId(text)
  await withClient(flags, async (client) => {
    const id = given ?? (await latestId(client))
    if (flags.body) return printBody(required(id, await client.body(id)))
    const detail = required(id, await client.get(id))
    if (flags.json) return void (await printLines([jsonLine(detail)]))
    const waits = detail.state === 'pending' || detail.state === 'retrying'
    const note = waits ? await missingWorkerNote(client) : undefined
    await printLines(sections(detail))
    if (note !== undefined) console.error(`hookserver: ${note}`)
  })
}

/** Prints the bytes of a body. On a terminal, escapes the characters with which a sender could control it. */
async function printBody(body: Uint8Array): Promise<void> {
  await print(stdout.isTTY ? escapeUnsafeInLines(new TextDecoder().decode(body)) : body)
}

async function latestId(client: AdminClient): Promise<number> {
  const [latest] = (await client.list({ limit: 1 })).deliveries
  if (latest) return latest.id
  throw new Error('There are no deliveries yet: send one to the server with "npx hookserver send push"')
}

function required<Value>(id: number, value: Value | undefined): Value {
  if (value !== undefined) return value
  throw new Error(`There is no delivery ${id}: it was never received, or it was pruned`)
}

type Field = readonly [name: string, value: string | number | undefined]

function sections(detail: DeliveryDetail): string[] {
  const headers = Object.entries(detail.headers).map(([name, value]): Field => [name, value ?? ''])
  const [timelineTitle, headersTitle] = [styled('bold', 'Timeline'), styled('bold', 'Headers')]
  const fields = aligned(fieldsOf(detail), detail)
  return [...fields, '', timelineTitle, ...timeline(detail), '', headersTitle, ...aligned(headers)]
}

function fieldsOf(detail: DeliveryDetail): Field[] {
  const { conflict, replayed, sameBodyAs, pulled, duplicates, secretId, secretIndex, algorithm } = detail
  const flags = Object.entries({ conflict, pulled }).filter(([, isSet]) => isSet)
  const secret = secretIndex === undefined ? undefined : ` by secret ${secretId ?? secretIndex + 1}`
  return [
    ['delivery', detail.id],
    ['state', detail.state],
    ['reason', detail.reason],
    ['event', eventName(detail)],
    ...(['repository', 'sender', 'title', 'number', 'ref', 'sha', 'guid'] as const).map(
      (name): Field => [name, detail[name]],
    ),
    ['hook', detail.hookId || undefined],
    ['source', detail.source],
    ['address', detail.address],
    ['signature', algorithm === undefined ? 'not checked' : `${algorithm}${secret ?? ''}`],
    ['payload', `${detail.size} bytes, ${detail.form}, SHA-256 ${detail.sha256}`],
    [
      'same body',
      replayed ? `as ${sameBodyAs === undefined ? 'a pruned delivery' : `delivery ${sameBodyAs}`}` : undefined,
    ],
    ['copies', duplicates || undefined],
    ['flags', flags.map(([name]) => name).join(', ') || undefined],
  ]
}

/** Leaves out fields without a value. */
function aligned(fields: readonly Field[], detail?: DeliveryDetail): string[] {
  const known = fields.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...known.map(([name]) => printable(name).length))
  return known.map(([name, value]) => {
    const text = printable(String(value))
    const shown = detail && name === 'state' ? styled(stateStyles[detail.state], text) : text
    return `  ${printable(name).padEnd(width)}  ${shown}`
  })
}

interface TimelineEntry {
  at: number
  text: string
  details?: string[]
}

/** Enough for the line of code, the message of an error and the place where it was thrown. `--json` shows all lines. */
const maxErrorLines = 6

/** What happened to a delivery, in order, and the state of each task. */
function timeline(detail: DeliveryDetail): string[] {
  const { receivedAt, storedAt, ackedAt, address, tasks } = detail
  const from = address === undefined ? '' : ` from ${printable(address)}`
  const entries: TimelineEntry[] = [
    { at: receivedAt, text: `received${from}, ${new Date(receivedAt).toISOString()}` },
    { at: storedAt, text: 'stored' },
  ]
  if (ackedAt !== undefined) entries.push({ at: ackedAt, text: 'replied' })
  entries.push(...tasks.flatMap((task) => task.attempts.map((attempt) => attemptEntry(task, attempt))))
  entries.sort((one, other) => one.at - other.at)
  const times = entries.map(({ at }) => `+${formatDuration(at - receivedAt)}`)
  const width = Math.max(...times.map((time) => time.length))
  const lines = entries.flatMap(({ text, details = [] }, index) => [
    `  ${(times[index] ?? '').padStart(width)}  ${text}`,
    ...details.map((line) => `  ${' '.repeat(width)}    ${line}`),
  ])
  const paused = detail.pausedHandlers ?? []
  const states = tasks.map((task) => taskState(task) + (paused.includes(task.handler) ? ', waits: it is paused' : ''))
  return [...lines, ...states.map((state) => `  ${' '.repeat(width)}  ${state}`)]
}

function attemptEntry({ handler }: TaskDetail, attempt: AttemptDetail): TimelineEntry {
  const { number, startedAt, duration, outcome, error, result, log } = attempt
  const after = duration === undefined ? '' : ` after ${formatDuration(duration)}`
  const text = `${printable(handler)}, attempt ${number}: ${styled(stateStyles[outcome], outcome)}${after}`
  const errorLines = printableLines(stackWithCode(error ?? '', startedAt), maxErrorLines)
  const resultLines = labelled('result', printableLines(result ?? ''))
  const shownLog = labelled('log', logLines(log ?? '', startedAt, maxErrorLines))
  return { at: startedAt, text, details: [...errorLines, ...resultLines, ...shownLog] }
}

/** One line after the label, or several lines below it. */
function labelled(label: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  return lines.length === 1 ? [`${label}: ${lines[0]}`] : [`${label}:`, ...lines.map((line) => `  ${line}`)]
}

function taskState({ handler, state, key, blockedBy, nextAttemptAt }: TaskDetail): string {
  const next = nextAttemptAt === undefined ? '' : `, next attempt ${new Date(nextAttemptAt).toISOString()}`
  const order = key === undefined ? '' : `, order key ${printable(key)}`
  const waits = blockedBy === undefined ? '' : `, waits: delivery ${blockedBy} with this key has to end first`
  return `${printable(handler)} is ${styled(stateStyles[state], state)}${next}${order}${waits}`
}
