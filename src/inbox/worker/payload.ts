/** The parts of a stored delivery that handlers and lists get: its payload, its headers and its payload summary. */
import type { DeliveryHeaders, ParsedPayload } from '../../delivery.ts'
import { type Json, objectIn, textIn, wholeNumberIn } from '../../runtime/json.ts'
import type { StoredDelivery, TaskQueue } from '../inbox.ts'
import { heapLimit } from '../parsed-size.ts'
import type { PayloadSummary } from '../records.ts'
import type { WorkerHost } from './worker-host.ts'

/**
 * Parses the payload of a stored delivery.
 * @param cost Bytes of memory that the parsed payload takes, as `estimateParsedSize` computes them.
 * @throws {Error} if the body is not a payload, if its bytes are damaged, or if the process has too little memory.
 */
export function readPayload({ body, form, damaged }: StoredDelivery, cost: number, host: WorkerHost): ParsedPayload {
  if (damaged !== undefined) throw new Error(`The stored delivery is damaged: ${damaged}`)
  if (!fitsHeap(cost)) {
    const [needed, available] = [mebibytes(cost), mebibytes(heapLimit())]
    throw new Error(
      `The payload needs about ${needed} of memory, and this process has ${available}: raise --max-old-space-size`,
    )
  }
  return host.parse(body, form)
}

/** The share of the heap that one payload may take; the rest is for the handlers. */
const heapShare = 3 / 4

let largestPayload: number | undefined

/** Whether a payload can be parsed without ending the process. */
export function fitsHeap(cost: number): boolean {
  largestPayload ??= heapLimit() * heapShare
  return cost <= largestPayload
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/**
 * Reads the body of a delivery from the inbox again, so that a handler that keeps the delivery does not keep the bytes.
 * @throws {Error} if the inbox has deleted the delivery, or if its bytes are damaged.
 */
export async function readBody(inbox: Pick<TaskQueue, 'load'>, id: number): Promise<Uint8Array> {
  const [stored] = await inbox.load([id])
  if (!stored) throw new Error(`The inbox has deleted delivery ${id} with its body: call delivery.body() earlier`)
  if (stored.damaged !== undefined) throw new Error(`The stored delivery is damaged: ${stored.damaged}`)
  return stored.body
}

export function toDeliveryHeaders(stored: Omit<StoredDelivery, 'body'>): DeliveryHeaders {
  return { ...stored, receivedAt: new Date(stored.receivedAt) }
}

/** Summarizes a payload, which may be any JSON object: every member may be missing or have another type. */
export function summarizePayload(data: Json): PayloadSummary {
  const subject = subjects.map((name) => objectIn(data, name)).find(Boolean)
  const run = runs.map((name) => objectIn(data, name)).find(Boolean)
  const head = objectIn(subject, 'head') ?? objectIn(data, 'deployment')
  return truncateTexts({
    action: textIn(data, 'action'),
    repository: textIn(objectIn(data, 'repository'), 'full_name'),
    sender: textIn(objectIn(data, 'sender'), 'login'),
    title:
      textIn(subject, 'title') ??
      textIn(objectIn(data, 'head_commit'), 'message')?.split('\n', 1)[0] ??
      resultOf(data, run) ??
      (textIn(subject, 'name') || textIn(subject, 'tag_name')) ?? // many releases have only a tag
      textIn(data, 'description'),
    ref: textIn(data, 'ref') ?? textIn(run, 'head_branch') ?? textIn(head, 'ref') ?? textIn(subject, 'tag_name'),
    sha: textIn(data, 'after') ?? textIn(run, 'head_sha') ?? textIn(head, 'sha') ?? textIn(data, 'sha'),
    number: wholeNumberIn(subject, 'number') ?? wholeNumberIn(data, 'number'),
  })
}

/** Members that may be the subject of a delivery, the most specific first. */
const subjects = ['pull_request', 'issue', 'discussion', 'release', 'milestone', 'label', 'package']

/** Members that describe a run, which has a result once it has ended. */
const runs = ['workflow_run', 'workflow_job', 'check_run', 'check_suite']

/** Name and result of a run, a deployment or a commit status: `CI: failure`. Without a result, only the name. */
function resultOf(data: Json, run: Json | undefined): string | undefined {
  const deployment = objectIn(data, 'deployment_status')
  if (deployment) return withResult(textIn(deployment, 'environment'), textIn(deployment, 'state'))
  if (!run) return textIn(data, 'context') && withResult(textIn(data, 'context'), textIn(data, 'state'))
  const name = textIn(run, 'name') ?? textIn(objectIn(run, 'app'), 'name') // a check suite has no name; its app does
  return withResult(name, textIn(run, 'conclusion'))
}

/** Joins a name and a result, as `CI: failure`. If they are too long together, shortens the name. */
function withResult(name: string | undefined, result: string | undefined): string | undefined {
  if (!name || !result) return name || result || undefined
  const suffix = `: ${result}`
  return name.slice(0, Math.max(0, maxLength - suffix.length)) + suffix
}

/** Maximum characters of a text in the summary, which is for lists and searches. The payload has the whole text. */
const maxLength = 300

function truncateTexts(summary: PayloadSummary): PayloadSummary {
  const truncate = (value: unknown) => (typeof value === 'string' ? value.slice(0, maxLength) : value)
  return Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, truncate(value)]))
}
