import type { Command } from 'commander'
import type { DeliveryDetail } from '../../inbox/records.ts'
import { UsageError } from '../errors.ts'
import type { Operator } from '../operator.ts'
import { jsonLine, print, printable, printLines, styled } from '../printing.ts'
import { addWhereabouts, type Whereabouts, withOperator } from '../whereabouts.ts'
import { idOf } from './picking.ts'
import { stateStyles } from './state-styles.ts'
import { timeline } from './timeline.ts'

interface Flags extends Whereabouts {
  body?: true
  json?: true
}

export function addShow(parent: Command): void {
  const command = parent
    .command('show <id>')
    .summary('show what is known of a delivery')
    .description('Shows what is known of a delivery: where it came from, what handlers made of it, its headers.')
    .option('--body', 'the payload and nothing else, byte by byte as it came')
    .option('--json', 'all of it as one JSON object; times are in milliseconds since 1970')
  addWhereabouts(command)
  command.addHelpText('after', examples)
  command.action((id: string, flags: Flags) => show(id, flags))
}

const examples = `
Examples:
  hookserver deliveries show 42
  hookserver deliveries show 42 --body | jq .pull_request.title
  hookserver deliveries show 42 --json | jq -r '.tasks[].attempts[].error'`

async function show(text: string, flags: Flags): Promise<void> {
  if (flags.body && flags.json) throw new UsageError('--body and --json: choose one of them')
  const id = idOf(text)
  await withOperator(flags, async (operator) => {
    if (flags.body) return void (await print(await found(id, operator.body(id))))
    const detail = await found<DeliveryDetail>(id, operator.get(id))
    await printLines(flags.json ? [jsonLine(detail)] : sections(detail))
  })
}

async function found<Thing>(id: number, thing: ReturnType<Operator['body' | 'get']>): Promise<Thing> {
  const there = await thing
  if (there === undefined) throw new Error(`There is no delivery ${id}: it never came, or was deleted for its age`)
  return there as Thing
}

function sections(detail: DeliveryDetail): string[] {
  const headers = Object.entries(detail.headers).map(([name, value]) => [name, value ?? ''] as const)
  return [
    ...aligned(factsOf(detail), detail),
    '',
    styled('bold', 'Timeline'),
    ...timeline(detail),
    '',
    styled('bold', 'Headers'),
    ...aligned(headers),
  ]
}

type Fact = readonly [name: string, value: string | number | undefined]

function factsOf(detail: DeliveryDetail): Fact[] {
  const { action, event, conflict, replayed, recovered, duplicates, secretId, secretIndex, algorithm } = detail
  const flags = Object.entries({ conflict, replayed, recovered }).filter(([, is]) => is)
  const secret = secretIndex === undefined ? undefined : ` by secret ${secretId ?? secretIndex}`
  return [
    ['delivery', detail.id],
    ['state', detail.state],
    ['reason', detail.reason],
    ['event', action === undefined ? event : `${event}.${action}`],
    ['repository', detail.repository],
    ['sender', detail.sender],
    ['title', detail.title],
    ['number', detail.number],
    ['ref', detail.ref],
    ['sha', detail.sha],
    ['guid', detail.guid],
    ['hook', detail.hookId || undefined],
    ['source', detail.source],
    ['address', detail.address],
    ['signature', algorithm === undefined ? 'none was checked' : `${algorithm}${secret ?? ''}`],
    ['payload', `${detail.size} bytes, ${detail.form}, SHA-256 ${detail.sha256}`],
    ['copies', duplicates || undefined],
    ['flags', flags.map(([name]) => name).join(', ') || undefined],
  ]
}

/** Names and values below each other; what is not known is left out. */
function aligned(facts: readonly Fact[], detail?: DeliveryDetail): string[] {
  const known = facts.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...known.map(([name]) => printable(name).length))
  return known.map(([name, value]) => {
    const text = printable(String(value))
    const shown = detail && name === 'state' ? styled(stateStyles[detail.state], text) : text
    return `  ${printable(name).padEnd(width)}  ${shown}`
  })
}
