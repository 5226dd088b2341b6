import { describe, expect, test, vi } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { Rejection } from '../../src/inbox/records.ts'
import { RejectionBuffer } from '../../src/inbox/rejection-buffer.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

function refusal(more: Partial<Rejection> = {}): Rejection {
  const unknown = { reason: undefined, address: undefined, event: undefined, guid: undefined }
  return { at: 5, code: 'wrong_signature', status: 400, source: '/hooks', headers: {}, ...unknown, ...more }
}

function bookOf(recordRejections: Inbox['recordRejections'] = async () => {}) {
  const written = vi.fn(recordRejections)
  return { book: new RejectionBuffer({ recordRejections: written } as unknown as Inbox), written }
}

describe('the book of refusals', () => {
  test('is written a second after the first that is noted, all at once', async () => {
    const { book, written } = bookOf()
    const noted = [refusal({ at: 1 }), refusal({ at: 2 }), refusal({ at: 3, code: 'missing_event' })]
    for (const one of noted) book.add(one)
    pass(999)
    expect(written).not.toHaveBeenCalled()
    pass(1)
    expect(written.mock.calls).toEqual([[noted, { wrong_signature: 2, missing_event: 1 }]])
    pass(60_000)
    expect(written).toHaveBeenCalledTimes(1)
    book.add(refusal({ at: 4 }))
    pass(1000)
    expect(written).toHaveBeenLastCalledWith([refusal({ at: 4 })], { wrong_signature: 1 })
  })

  test('counts all, and keeps the newest thousand', async () => {
    const { book, written } = bookOf()
    for (let at = 0; at < 5000; at++) book.add(refusal({ at }))
    await book.flush()
    const [kept, counts] = written.mock.calls[0] ?? [[]]
    expect(kept.map(({ at }) => at)).toEqual(Array.from({ length: 1000 }, (_, i) => 4000 + i))
    expect(counts).toEqual({ wrong_signature: 5000 })
  })

  test('has nothing to write where nothing was refused', async () => {
    const { book, written } = bookOf()
    await book.flush()
    expect(written).not.toHaveBeenCalled()
  })

  test('loses nothing when it cannot be written', async () => {
    let failures = 1
    const { book, written } = bookOf(async () => {
      if (failures-- > 0) throw new Error('down')
    })
    book.add(refusal({ at: 1 }))
    pass(1000)
    await turnOfTheLoop()
    book.add(refusal({ at: 2 }))
    pass(1000)
    expect(written).toHaveBeenLastCalledWith([refusal({ at: 1 }), refusal({ at: 2 })], { wrong_signature: 2 })
  })

  test('has no more of the headers than 4 KiB, and nothing that proves who sent them', async () => {
    const { book, written } = bookOf()
    const headers = { 'x-hub-signature-256': 'sha256=00', a: 'x'.repeat(3000), b: 'y'.repeat(3000), c: 'z' }
    book.add(refusal({ headers, guid: 'g'.repeat(5000), event: 'e'.repeat(5000) }))
    await book.flush()
    const kept = written.mock.calls[0]?.[0][0] as Rejection
    expect(kept.headers).toMatchObject({ 'x-hub-signature-256': '[not kept]', a: headers.a })
    expect(kept.headers.b).toBeUndefined()
    expect([kept.guid?.length, kept.event?.length]).toEqual([200, 200])
  })
})
