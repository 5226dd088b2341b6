/**
 * The message that takes deliveries to the writer thread, and its answer. Both are cheap to send between threads,
 * however many deliveries they hold. Sending an object for each delivery would take a receiver more than twice as long.
 *
 * Layout of a batch:
 * - `bytes` holds, for each delivery, the headers as JSON and then the body. The buffer moves to the writer thread and
 *   back, so it is neither copied nor allocated again.
 * - `fields` holds `fieldCount` values for each delivery, in the order of `BatchEncoder.add`.
 *
 * Layout of an answer:
 * - `results` holds two numbers for each delivery. Without an error, these are the id of the delivery and the code of
 *   the outcome. With an error, these are the index of the error in `errors` and the code -1.
 */
import type { NewDelivery, StoreResult } from '../../inbox/inbox.ts'
import { type Answer, type CallError, transfer } from '../../runtime/thread-server.ts'
import type { EncodedDelivery } from './store.ts'

export interface DeliveryBatch {
  bytes: Uint8Array
  fields: (string | number | boolean | undefined)[]
}

export interface BatchAnswer {
  results: number[]
  errors: CallError[]
  /** The buffer of the batch, for reuse by another batch. */
  bytes: Uint8Array
}

/** Maximum bytes of the headers and bodies of one batch. */
export const batchSize: number = 1024 * 1024

/**
 * The maximum number of bytes that a delivery takes: a UTF-16 code unit takes at most three bytes in UTF-8.
 * @param headers As JSON.
 */
export const maxEncodedSize = ({ body }: NewDelivery, headers: string): number => 3 * headers.length + body.length

/** Collects deliveries for one message. */
export class BatchEncoder {
  readonly #bytes: Buffer
  readonly #fields: DeliveryBatch['fields'] = []
  #size = 0

  /** @param bytes The buffer of an earlier batch. */
  constructor(bytes: Uint8Array = Buffer.allocUnsafeSlow(batchSize)) {
    this.#bytes = Buffer.from(bytes.buffer as ArrayBuffer)
  }

  hasRoom(delivery: NewDelivery, headers: string): boolean {
    return this.#size + maxEncodedSize(delivery, headers) <= batchSize
  }

  /** @param headers As JSON. */
  add(delivery: NewDelivery, headers: string): void {
    const { body } = delivery
    const headersSize = this.#bytes.write(headers, this.#size)
    this.#bytes.set(body, this.#size + headersSize)
    this.#size += headersSize + body.length
    this.#fields.push(
      headersSize,
      body.length,
      delivery.source,
      delivery.hookId,
      delivery.guid,
      delivery.event,
      delivery.form,
      delivery.receivedAt,
      delivery.address,
      delivery.secretId,
      delivery.secretIndex,
      delivery.algorithm,
      delivery.pulled,
      delivery.editedFrom,
      delivery.trace,
    )
  }

  /** Returns the message for the writer thread. Sending it transfers the bytes, so call this once. */
  finish(): DeliveryBatch {
    const { buffer } = this.#bytes
    const bytes = new Uint8Array(buffer as ArrayBuffer)
    return transfer({ bytes, fields: this.#fields }, [bytes])
  }
}

const fieldCount = 15

export const batchLength = ({ fields }: DeliveryBatch): number => fields.length / fieldCount

/** The deliveries of a batch. Their contents are views into the bytes of the batch. */
export function decodeBatch({ bytes, fields }: DeliveryBatch): EncodedDelivery[] {
  const deliveries: EncodedDelivery[] = []
  let start = 0
  for (let at = 0; at < fields.length; at += fieldCount) {
    const [headersSize, size] = [fields[at] as number, fields[at + 1] as number]
    deliveries.push({
      content: bytes.subarray(start, start + headersSize + size),
      headersSize,
      size,
      source: fields[at + 2] as string,
      hookId: fields[at + 3] as string,
      guid: fields[at + 4] as string,
      event: fields[at + 5] as string,
      form: fields[at + 6] as NewDelivery['form'],
      receivedAt: fields[at + 7] as number,
      address: fields[at + 8] as string | undefined,
      secretId: fields[at + 9] as string | undefined,
      secretIndex: fields[at + 10] as number | undefined,
      algorithm: fields[at + 11] as string | undefined,
      pulled: fields[at + 12] as boolean | undefined,
      editedFrom: fields[at + 13] as number | undefined,
      trace: fields[at + 14] as string | undefined,
    })
    start += headersSize + size
  }
  return deliveries
}

const outcomes = ['stored', 'duplicate', 'rearmed'] as const satisfies StoreResult['outcome'][]
/** Added to the code of an outcome if the delivery conflicts with a stored one. */
const conflictCode = outcomes.length
const failedCode = -1

/** The answer of the writer thread, with the bytes of the batch for reuse. */
export function encodeAnswer({ bytes }: DeliveryBatch, answers: readonly Answer[]): BatchAnswer {
  const answer: BatchAnswer = { results: [], errors: [], bytes }
  for (const one of answers) {
    if ('value' in one) {
      const { id, outcome, conflict } = one.value as StoreResult
      answer.results.push(id, outcomes.indexOf(outcome) + (conflict ? conflictCode : 0))
    } else {
      answer.results.push(answer.errors.push(one.error) - 1, failedCode)
    }
  }
  return transfer(answer, [bytes])
}

/** The result of the delivery with this index, or the error. */
export function decodeAnswer({ results, errors }: BatchAnswer, index: number): StoreResult | { error: CallError } {
  const [id, code] = [results[2 * index] as number, results[2 * index + 1] as number]
  if (code === failedCode) return { error: errors[id] as CallError }
  const conflict = code >= conflictCode
  return { id, outcome: outcomes[conflict ? code - conflictCode : code] as StoreResult['outcome'], conflict }
}
