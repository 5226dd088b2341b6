import { describe, expect, test, vi } from 'vitest'
import { RejectionBuffer } from '../../src/inbox/background-writes.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import type { Rejection } from '../../src/inbox/records.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

function rejection(more: Partial<Rejection> = {}): Rejection {
  const unknown = { reason: undefined, address: undefined, event: undefined, guid: undefined }
  return { at: 5, code: 'wrong_signature', status: 400, source: '/hooks', headers: {}, ...unknown, ...more }
}

function createBuffer(recordRejections: Store['recordRejections'] = async () => {}) {
  const written = vi.fn(recordRejections)
  return { buffer: new RejectionBuffer({ recordRejections: written }), written }
}

describe('the rejection buffer', () => {
  test('writes all rejections one second after the first', async () => {
    const { buffer, written } = createBuffer()
    const added = [rejection({ at: 1 }), rejection({ at: 2 }), rejection({ at: 3, code: 'missing_event' })]
    for (const one of added) buffer.add(one)
    pass(999)
    expect(written).not.toHaveBeenCalled()
    pass(1)
    expect(written.mock.calls).toEqual([[added]])
    pass(60_000)
    expect(written).toHaveBeenCalledTimes(1)
    buffer.add(rejection({ at: 4 }))
    pass(1000)
    expect(written).toHaveBeenLastCalledWith([rejection({ at: 4 })])
  })

  test('writes only the newest 1,000 rejections', async () => {
    const { buffer, written } = createBuffer()
    for (let at = 0; at < 5000; at++) buffer.add(rejection({ at }))
    await buffer.flush()
    const [kept] = written.mock.calls[0] ?? [[]]
    expect(kept.map(({ at }) => at)).toEqual(Array.from({ length: 1000 }, (_, i) => 4000 + i))
  })

  test('writes nothing if there are no rejections', async () => {
    const { buffer, written } = createBuffer()
    await buffer.flush()
    expect(written).not.toHaveBeenCalled()
  })

  test('repeats a failed write together with the next rejections', async () => {
    let failures = 1
    const { buffer, written } = createBuffer(async () => {
      if (failures-- > 0) throw new Error('down')
    })
    buffer.add(rejection({ at: 1 }))
    pass(1000)
    await turnOfTheLoop()
    buffer.add(rejection({ at: 2 }))
    pass(1000)
    expect(written).toHaveBeenLastCalledWith([rejection({ at: 1 }), rejection({ at: 2 })])
  })

  test('keeps at most 4 KiB of the headers, and no secrets', async () => {
    const { buffer, written } = createBuffer()
    const headers = { 'x-hub-signature-256': 'sha256=00', a: 'x'.repeat(3000), b: 'y'.repeat(3000), c: 'z' }
    buffer.add(rejection({ headers, guid: 'g'.repeat(5000), event: 'e'.repeat(5000) }))
    await buffer.flush()
    const kept = written.mock.calls[0]?.[0][0] as Rejection
    expect(kept.headers).toMatchObject({ 'x-hub-signature-256': '[not kept]', a: headers.a })
    expect(kept.headers.b).toBeUndefined()
    expect([kept.guid?.length, kept.event?.length]).toEqual([200, 200])
  })
})
