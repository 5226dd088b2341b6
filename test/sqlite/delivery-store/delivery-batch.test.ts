import { describe, expect, test } from 'vitest'
import type { NewDelivery } from '../../../src/inbox/inbox.ts'
import {
  BatchEncoder,
  batchLength,
  batchSize,
  type DeliveryBatch,
  decodeAnswer,
  decodeBatch,
  encodeAnswer,
} from '../../../src/sqlite/delivery-store/delivery-batch.ts'
import { encoded, newDelivery } from '../engine.ts'

function batchOf(deliveries: readonly NewDelivery[], spare?: Uint8Array): DeliveryBatch {
  const encoder = new BatchEncoder(spare)
  for (const delivery of deliveries) encoder.add(delivery, JSON.stringify(delivery.headers))
  return encoder.finish()
}

/** An encoded delivery with its content as a list, so that a comparison ignores the buffer that contains the bytes. */
const plain = ({ content, ...rest }: ReturnType<typeof encoded>) => ({ ...rest, content: [...content] })

const minimal = newDelivery({
  headers: {},
  body: new Uint8Array(),
  hookId: '',
  secretIndex: undefined,
  guid: 'minimal',
})
const full = newDelivery({
  ...{ source: '/hööks', guid: '🚀', headers: { 'x-title': 'naïve 日本 🚀' }, form: 'form', receivedAt: 1.7e12 },
  ...{ body: Uint8Array.from({ length: 300 }, (_, i) => i % 256).subarray(7, 200), address: '::1', secretId: 's' },
  ...{ secretIndex: 3, algorithm: 'sha1', pulled: true, editedFrom: 2 ** 40, trace: '00-0af7-b7ad-01' },
})

describe('a batch', () => {
  test('has the same deliveries as when each is encoded alone', () => {
    const deliveries = [full, minimal, newDelivery(), full]
    const batch = structuredClone(batchOf(deliveries))
    expect(batchLength(batch)).toBe(4)
    expect(decodeBatch(batch).map(plain)).toEqual(deliveries.map((delivery) => plain(encoded(delivery))))
  })

  test('has room for deliveries of `batchSize` bytes together', () => {
    const body = new Uint8Array(batchSize / 4 - 6) // the headers may take 6 bytes
    const quarter = newDelivery({ headers: {}, body })
    const encoder = new BatchEncoder()
    for (let count = 0; count < 4; count++) {
      expect(encoder.hasRoom(quarter, '{}')).toBe(true)
      encoder.add(quarter, '{}')
    }
    // 16 bytes are left
    expect(encoder.hasRoom({ ...quarter, body: new Uint8Array(10) }, '{}')).toBe(true)
    expect(encoder.hasRoom({ ...quarter, body: new Uint8Array(11) }, '{}')).toBe(false)
  })

  test('in the buffer of an earlier batch has none of the bytes of that batch', () => {
    const { bytes } = batchOf([full, full])
    const [delivery] = decodeBatch(batchOf([minimal], bytes))
    expect(plain(delivery as ReturnType<typeof encoded>)).toEqual(plain(encoded(minimal)))
  })
})

test('an answer has the result, or the error, of each delivery, and the buffer', () => {
  const batch = batchOf([minimal])
  const results = (['stored', 'duplicate', 'rearmed'] as const).flatMap((outcome) => [
    { id: 2 ** 40, outcome, conflict: false },
    { id: 0, outcome, conflict: true },
  ])
  const errors = [{ message: 'first', code: 'ERR_SQLITE_ERROR', errcode: 1299 }, { message: 'second' }]
  const answers = [{ error: errors[0] as never }, ...results.map((value) => ({ value })), { error: errors[1] as never }]
  const answer = structuredClone(encodeAnswer(batch, answers))
  expect(answers.map((_, index) => decodeAnswer(answer, index))).toEqual([
    { error: errors[0] },
    ...results,
    { error: errors[1] },
  ])
  expect(answer.bytes).toHaveLength(batchSize)
})
