import { gapStates } from '../../inbox/gaps.ts'
import type { ProcessInfo } from '../../inbox/processes.ts'
import { deliveryStates, type TaskState } from '../../inbox/records.ts'
import { problems as codes } from '../problem.ts'
import { filters } from './filters.ts'
import { mostIds } from './selection.ts'
import { aText, eventName, type Reader } from './values.ts'
import { warningCodes } from './warnings.ts'

/** What is sent and answered, as JSON Schema. A member that is unknown, or that there is none of, is left out. */

type Schema = Readonly<Record<string, unknown>>

const text: Schema = { type: 'string' }
const count: Schema = { type: 'integer', minimum: 0 }
const flag: Schema = { type: 'boolean' }
const time: Schema = { type: 'integer', description: 'Milliseconds since 1970' }
const duration: Schema = { type: 'number', minimum: 0, description: 'Milliseconds' }
const bytes: Schema = { type: 'integer', minimum: 0, description: 'Bytes' }
const state: Schema = { type: 'string', enum: deliveryStates }
const taskStates = ['pending', 'running', 'retrying', 'done', 'dead', 'discarded', 'gone'] satisfies TaskState[]
const outcomes = ['running', 'succeeded', 'failed', 'dead', 'discarded', 'released', 'cut off']
const headers: Schema = { type: 'object', additionalProperties: text }
const counts: Schema = { type: 'array', items: count, description: 'One a step' }
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const listOf = (items: Schema): Schema => ({ type: 'array', items })

/** An object with these members and no other; those of `optional` may be missing. */
function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  const properties = { ...required, ...optional }
  return { type: 'object', properties, required: Object.keys(required), additionalProperties: false }
}

/** Of what there was none of there are none. */
const percentiles: Schema = {
  anyOf: [object({ p50: duration, p95: duration, p99: duration }), { type: 'null' }],
}
const summary = {
  ...{ id: count, source: text, hookId: text, guid: text, event: text, state, size: bytes, receivedAt: time },
  ...{ attempts: count, duplicates: count, conflict: flag, replayed: flag, recovered: flag },
}
const facts = { action: text, repository: text, sender: text, title: text, ref: text, sha: text, number: count }
const setback = object({ handler: text }, { error: text })
const maybe = { ...facts, nextAttemptAt: time, duration, failure: setback, editedFrom: count }
const selection = {
  ids: { ...listOf({ type: 'integer', minimum: 1 }), minItems: 1, maxItems: mostIds },
  query: object({}, Object.fromEntries(Object.entries(filters).map(([name, { schema }]) => [name, schema as Schema]))),
  states: { ...listOf(state), minItems: 1, description: 'Of the ids only those that are in one of these states now' },
  dryRun: { ...flag, description: 'Only count' },
}
const gapCounts = object(Object.fromEntries(gapStates.map((name) => [name, count])))
const role: Schema = { type: 'string', enum: ['all', 'receiver', 'worker'] satisfies ProcessInfo['role'][] }
const reason = { reason: aText.schema as Schema }
const oneOfTheTwo = { oneOf: [{ required: ['ids'] }, { required: ['query'] }] }

export const schemas: Readonly<Record<string, Schema>> = {
  Page: object({ deliveries: listOf(ref('Summary')), scanned: count, left: count }, { next: count, tooLarge: count }),
  Summary: object(summary, maybe),
  Delivery: object(
    {
      ...summary,
      ...{ headers, sha256: text, form: { type: 'string', enum: ['json', 'form'] }, storedAt: time },
      tasks: listOf(ref('Task')),
    },
    { ...maybe, address: text, secretId: text, secretIndex: count, algorithm: text, ackedAt: time, reason: text },
  ),
  Task: object(
    { handler: text, state: { type: 'string', enum: taskStates }, attempts: listOf(ref('Attempt')) },
    { key: text, nextAttemptAt: time },
  ),
  Attempt: object(
    { number: count, startedAt: time, outcome: { type: 'string', enum: outcomes } },
    { duration, error: text, result: text, log: text },
  ),
  Count: object({ count }),
  Composed: object(
    { event: eventName.schema as Schema },
    { payload: { type: 'object' }, text, editedFrom: { type: 'integer', minimum: 1 } },
  ),
  Signature: object({ signature: text, algorithm: { const: 'sha256' } }, { url: text }),
  Created: object({ id: count, guid: text }),
  Refusals: object({
    latest: listOf(ref('Refusal')),
    counts: { type: 'object', additionalProperties: count },
  }),
  Refusal: object(
    { at: time, code: text, status: count, source: text, headers },
    { reason: text, address: text, event: text, guid: text },
  ),
  Stats: object(
    {
      states: object(Object.fromEntries(deliveryStates.map((name) => [name, count]))),
      handlers: listOf(text),
      paused: listOf(text),
      size: bytes,
      gaps: gapCounts,
      process: object({ version: text, uptime: duration, memory: object({ rss: bytes, heapUsed: bytes }) }, { role }),
      processes: listOf(ref('Process')),
      series: ref('Series'),
      warnings: listOf(object({ code: { type: 'string', enum: warningCodes }, message: text, cure: text })),
    },
    { oldestUnfinished: time, receiver: ref('Receiver') },
  ),
  Processes: object({ processes: listOf(ref('Process')) }),
  Process: object(
    { id: text, role, host: text, pid: count, version: text, startedAt: time, seenAt: time },
    { problems: listOf(object({ code: text }, { handler: text, count })) },
  ),
  Receiver: object(
    { heldBytes: bytes, heldLimit: bytes, origin: { enum: [true, false, 'warn'] }, signature: flag },
    { ranges: object({ count }, { fetchedAt: time, failing: text }) },
  ),
  Series: object({
    since: time,
    step: duration,
    received: listOf(object({ event: text, outcome: text, counts })),
    attempts: listOf(object({ handler: text, outcome: { type: 'string', enum: outcomes }, counts })),
    refused: listOf(object({ code: text, counts })),
    secrets: listOf(object({ index: count, count })),
    latency: percentiles,
    latencies: listOf(percentiles),
  }),
  Recovery: object(
    { counts: gapCounts, gaps: listOf(ref('Gap')) },
    { last: object({ at: time, reports: listOf(ref('Sweep')) }) },
  ),
  Swept: object({ reports: listOf(ref('Sweep')), gaps: listOf(ref('Gap')) }),
  SweepOptions: object({}, { dryRun: flag, thorough: flag }),
  Sweep: object(
    { target: text, sent: count, unhandled: count, gaps: gapCounts, calls: count },
    { hookId: text, from: time, error: text },
  ),
  Gap: object(
    {
      ...{ hookId: text, guid: text, target: text, event: text, deliveryId: count, deliveredAt: time, status: text },
      ...{ state: { type: 'string', enum: gapStates }, asked: count, keptUntil: time },
    },
    { action: text, askedAt: time },
  ),
  Hooks: object({ hooks: listOf(ref('Hook')) }),
  Hook: object(
    { name: text, paused: flag },
    {
      ...{ events: listOf(text), replies: flag, options: { type: 'object' }, elsewhere: { const: true } },
      lastFailure: object({ id: count, at: time }, { error: text }),
    },
  ),
  Values: object({ values: listOf(text) }),
  Paused: object({ paused: listOf(text) }),
  Samples: object({ samples: listOf(object({ event: text, count }, { action: text })) }),
  SamplePayloads: object({
    samples: listOf(object({ event: text, payload: { type: 'object' } }, { action: text })),
  }),
  Description: { type: 'object' },
  Problem: object(
    { status: count, title: text, detail: text, code: { type: 'string', enum: Object.keys(codes) } },
    { errors: listOf(object({ name: text, expected: text })) },
  ),
  Login: object({ token: text }),
  Session: object({ readOnly: flag }, { expiresAt: time }),
  Nothing: object({}),
  Reason: object({}, reason),
  Selection: { ...object({}, selection), ...oneOfTheTwo },
  SelectionAndReason: { ...object({}, { ...selection, ...reason }), ...oneOfTheTwo },
  Handler: object({}, { handler: { ...text, default: '*' } }),
}

const json = (name: string) => ({ 'application/json': { schema: ref(name) } })

export const answer = (name: string): object => ({ description: name, content: json(name) })

export const body = (name: string, required: boolean): object => ({ required, content: json(name) })

/** The answers with these statuses. */
export function problems(...statuses: number[]): Record<string, object> {
  const content = { 'application/problem+json': { schema: ref('Problem') } }
  const codesOf = (status: number) => Object.keys(codes).filter((code) => codes[code as keyof typeof codes] === status)
  return Object.fromEntries(statuses.map((status) => [status, { description: codesOf(status).join(', '), content }]))
}

export const deliveryId: object = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }

export const parametersOf = (readers: Readonly<Record<string, Reader>>): object[] =>
  Object.entries(readers).map(([name, { expected, schema }]) => ({ name, in: 'query', description: expected, schema }))
