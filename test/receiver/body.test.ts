import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BodyInOneCall, OnChunk, ReadBody } from '../../src/http.ts'
import { type BodyLimits, readBody } from '../../src/receiver/body.ts'
import type { ReceivedBody } from '../../src/receiver/body-buffer.ts'
import { MemoryLimit } from '../../src/receiver/memory-limit.ts'
import { Deadline } from '../../src/runtime/deadline.ts'
import { bytesOf, MiB, pass, rejectionOf, stopTheClock, textOf, turnOfTheLoop } from './fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

/** A sender that the test controls. */
class Sender {
  stopped = 0
  claimed = 0
  send: OnChunk = () => undefined
  end: (error?: unknown) => void = () => {}
  readonly read: ReadBody = (onChunk, onEnd) => {
    this.claimed++
    this.send = onChunk
    this.end = onEnd
    return () => void this.stopped++
  }
}

interface Bounds extends Partial<BodyLimits> {
  onChunk?: (chunk: Uint8Array) => void
}

/** Limits that allow everything. */
function boundsOf({
  limit = 25 * MiB,
  expected,
  deadline = new Deadline(9000),
  reservation,
}: Partial<BodyLimits> = {}) {
  const room = new MemoryLimit(1000 * MiB).reserve(expected)
  return { limit, expected, deadline, reservation: reservation ?? room } satisfies BodyLimits
}

const take = (sender: Sender, { onChunk, ...bounds }: Bounds = {}) =>
  readBody({ read: sender.read }, boundsOf(bounds), onChunk)

/** Reads a body that consists of these chunks. */
async function takeAll(chunks: Iterable<Uint8Array>, bounds?: Bounds): Promise<ReceivedBody> {
  const sender = new Sender()
  const taking = take(sender, bounds)
  for (const chunk of chunks) sender.send(chunk)
  sender.end()
  return taking
}

/** Pseudo-random bytes: swapped, lost or repeated chunks change their hash. */
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 24)
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.slice(i, i + size)
}

describe('a body', () => {
  test('in one chunk is not copied', async () => {
    const chunk = bytesOf('{"zen":"🧘"}')
    expect((await takeAll([chunk])).bytes).toBe(chunk)
  })

  test('may be empty', async () => {
    expect((await takeAll([])).bytes).toHaveLength(0)
    expect((await takeAll([new Uint8Array()])).bytes).toHaveLength(0)
  })

  test('may contain empty chunks', async () => {
    const empty = new Uint8Array()
    const chunks = [empty, bytesOf('na'), empty, bytesOf('ïve'), empty, empty, bytesOf(' 🚀'), empty]
    expect(textOf((await takeAll(chunks)).bytes)).toBe('naïve 🚀')
  })

  const whole = noise(300_001)
  test.each<[string, number | undefined]>([
    ['no size', undefined],
    ['its size', whole.length],
    ['one byte less', whole.length - 1],
    ['one byte more', whole.length + 1],
    ['far too little', 10],
    ['nothing', 0],
    ['far too much', 20 * MiB],
  ])('of many chunks equals the sent bytes, with a Content-Length of %s', async (_, expected) => {
    for (const size of [1000, 4096, 65_536, 150_001, 300_000]) {
      const { bytes } = await takeAll(cut(whole, size), { expected })
      expect([bytes.length, hashOf(bytes)]).toEqual([whole.length, hashOf(whole)])
    }
  })

  test('of many chunks is copied, since a connection reuses its buffers', async () => {
    const [first, second] = [bytesOf('first, '), bytesOf('second')]
    const sender = new Sender()
    const taking = take(sender)
    sender.send(first)
    sender.send(second)
    first.fill(0)
    second.fill(0)
    sender.end()
    expect(textOf((await taking).bytes)).toBe('first, second')
  })

  test('never uses much more memory than the bytes that have arrived, for any Content-Length', async () => {
    for (const expected of [undefined, 25 * MiB]) {
      const { bytes } = await takeAll(cut(noise(10_000), 1000), { expected })
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(20_000)
    }
  })

  test('uses exactly the announced memory once most of it has arrived', async () => {
    const { bytes } = await takeAll(cut(whole, 4096), { expected: whole.length })
    expect(bytes.buffer.byteLength).toBe(whole.length)
  })

  test('never uses more memory than the limit', async () => {
    const limit = whole.length + 10
    const { bytes } = await takeAll(cut(whole, 4096), { limit })
    expect(bytes.buffer.byteLength).toBeLessThanOrEqual(limit)
  })

  test('passes each chunk to onChunk, in order', async () => {
    const hash = createHash('sha256')
    await takeAll(cut(whole, 4096), { onChunk: (chunk) => void hash.update(chunk) })
    expect(hash.digest('hex')).toBe(hashOf(whole))
  })

  test('is awaited to its end', async () => {
    const sender = new Sender()
    let taken = false
    const taking = Promise.resolve(take(sender)).then(() => {
      taken = true
    })
    sender.send(bytesOf('{}'))
    await turnOfTheLoop()
    expect(taken).toBe(false)
    sender.end()
    await taking
    expect([taken, sender.claimed, sender.stopped]).toEqual([true, 1, 0])
  })
})

describe('a body beyond the limit', () => {
  test('is rejected at the chunk that exceeds it, and not read further', async () => {
    const sender = new Sender()
    const shown: number[] = []
    const rejected = rejectionOf(() => take(sender, { limit: 10, onChunk: ({ length }) => shown.push(length) }))
    sender.send(new Uint8Array(6))
    sender.send(new Uint8Array(4))
    expect(sender.stopped).toBe(0)
    sender.send(new Uint8Array(1))
    expect(sender.stopped).toBe(1)
    expect(await rejected).toMatchObject({ code: 'payload_too_large', status: 413 })
    expect(shown).toEqual([6, 4])
  })

  test('is rejected by its real size, for any Content-Length', async () => {
    for (const expected of [undefined, 0, 10, 11]) {
      expect((await rejectionOf(() => takeAll(cut(noise(11), 3), { limit: 10, expected }))).code).toBe(
        'payload_too_large',
      )
    }
    expect((await takeAll(cut(noise(10), 3), { limit: 10 })).bytes).toHaveLength(10)
  })

  test('is also rejected in one chunk, and if other software has kept it', async () => {
    const bytes = new Uint8Array(11)
    expect((await rejectionOf(() => takeAll([bytes], { limit: 10 }))).code).toBe('payload_too_large')
    expect((await rejectionOf(() => readBody({ bytes }, boundsOf({ limit: 10 })))).code).toBe('payload_too_large')
  })
})

describe('a body without free memory', () => {
  /**
   * A memory limit of 2 MiB. Small bodies may use half of it. `other` is the reservation of a complete body that holds
   * this whole half.
   */
  function fullLimit() {
    const memoryLimit = new MemoryLimit(2 * MiB)
    const other = memoryLimit.reserve(MiB)
    other.grow(MiB)
    other.complete()
    return { memoryLimit, other }
  }

  test('is not read further until memory is free', async () => {
    const { memoryLimit, other } = fullLimit()
    const sender = new Sender()
    const taking = take(sender, { reservation: memoryLimit.reserve(10) })
    const waiting = sender.send(bytesOf('first'))
    let resumed = false
    void waiting?.then(() => (resumed = true))
    await turnOfTheLoop()
    expect(resumed).toBe(false)
    other.release()
    await waiting
    expect(sender.send(bytesOf(', more'))).toBeUndefined()
    sender.end()
    expect([textOf((await taking).bytes), memoryLimit.held]).toEqual(['first, more', 11])
  })

  test('is complete only when there is memory for it, even if its reader does not wait', async () => {
    const { memoryLimit, other } = fullLimit()
    const sender = new Sender()
    let taken = false
    const taking = Promise.resolve(take(sender, { reservation: memoryLimit.reserve(10) })).then(({ bytes }) => {
      taken = true
      return textOf(bytes)
    })
    for (const text of ['one', ', two']) sender.send(bytesOf(text))
    sender.end()
    await turnOfTheLoop()
    expect([taken, memoryLimit.held]).toEqual([false, MiB])
    other.release()
    expect([await taking, memoryLimit.held]).toEqual(['one, two', 8])
  })

  test.each([[0], [5]])('is rejected with overloaded at the deadline if data arrives after %i ms', async (elapsed) => {
    const { memoryLimit } = fullLimit()
    const sender = new Sender()
    const deadline = new Deadline(1000)
    const rejected = rejectionOf(() => take(sender, { deadline, reservation: memoryLimit.reserve(10) }))
    pass(elapsed)
    sender.send(bytesOf('{'))
    pass(1000)
    const rejection = await rejected
    expect(rejection).toMatchObject({ code: 'overloaded', status: 503, message: 'Too many deliveries at once' })
    expect(rejection.headers['retry-after']).toBeDefined()
    expect(sender.stopped).toBe(1)
  })

  test('is rejected with body_timeout at the deadline if memory became free but no data arrived', async () => {
    const { memoryLimit, other } = fullLimit()
    const sender = new Sender()
    const rejected = rejectionOf(() =>
      take(sender, { deadline: new Deadline(1000), reservation: memoryLimit.reserve(10) }),
    )
    const waiting = sender.send(bytesOf('{'))
    other.release()
    await waiting
    pass(1000)
    expect((await rejected).code).toBe('body_timeout')
  })

  test('also waits if other software has kept it', async () => {
    const { memoryLimit, other } = fullLimit()
    const bytes = bytesOf('{}')
    const read = (ms: number) =>
      readBody({ bytes }, boundsOf({ deadline: new Deadline(ms), reservation: memoryLimit.reserve(undefined) }))
    const rejected = rejectionOf(() => read(1000))
    pass(1000)
    expect((await rejected).code).toBe('overloaded')
    const taking = read(9000)
    other.release()
    expect((await taking).bytes).toBe(bytes)
  })
})

describe('a body that does not arrive', () => {
  test('because the sender disconnects is rejected, with the reason for the log', async () => {
    const sender = new Sender()
    const cause = new Error('ECONNRESET')
    const rejected = rejectionOf(() => take(sender))
    sender.send(bytesOf('{"a":'))
    sender.end(cause)
    const rejection = await rejected
    expect(rejection).toMatchObject({ code: 'body_aborted', status: 400, cause })
    expect(JSON.stringify(rejection.problem())).not.toContain('ECONNRESET')
  })

  test.each([
    ['status', { status: 413 }],
    ['statusCode', { statusCode: 413 }],
    ['code', { code: 'ERR_BODY_LIMIT' }],
  ])('because the platform limits its size is rejected as too large, by the %s of the error', async (_, members) => {
    const sender = new Sender()
    const cause = Object.assign(new Error('Content-length of 600000 exceeds limit of 524288 bytes.'), members)
    const rejected = rejectionOf(() => take(sender))
    sender.end(cause)
    expect(await rejected).toMatchObject({ code: 'payload_too_large', status: 413, cause })
  })

  test.each([0, 1, 5])('in time is rejected at the deadline after %i chunks, and not read further', async (chunks) => {
    const sender = new Sender()
    const rejected = rejectionOf(() => take(sender, { deadline: new Deadline(1000) }))
    for (let i = 0; i < chunks; i++) sender.send(bytesOf('{'))
    pass(999)
    expect(sender.stopped).toBe(0)
    pass(1)
    expect(sender.stopped).toBe(1)
    expect(await rejected).toMatchObject({
      code: 'body_timeout',
      status: 408,
      message: 'The body did not arrive in time',
    })
  })

  test('is not read at all after the deadline', async () => {
    const sender = new Sender()
    const deadline = new Deadline(1000)
    pass(1000)
    expect((await rejectionOf(() => take(sender, { deadline }))).code).toBe('body_timeout')
    expect(sender.claimed).toBe(0)
  })

  test('is not stopped after it has arrived or failed', async () => {
    const [there, failed] = [new Sender(), new Sender()]
    const deadline = new Deadline(1000)
    const outcomes = [take(there, { deadline }), rejectionOf(() => take(failed, { deadline }))]
    there.end()
    failed.end(new Error('ECONNRESET'))
    await Promise.all(outcomes)
    pass(1000)
    expect([there.stopped, failed.stopped]).toEqual([0, 0])
  })

  test('frees its memory when the sender disconnects, when it is too large, and when its time is over', async () => {
    const chunk = new Uint8Array(4 * MiB)
    const failures: ((sender: Sender) => unknown)[] = [
      (sender) => sender.end(new Error('ECONNRESET')),
      (sender) => sender.send(chunk),
      () => pass(1000),
    ]
    const { arrayBuffers } = process.memoryUsage()
    const kept: Sender[] = [] // as a stream keeps its listeners
    for (const failWith of failures) {
      const sender = new Sender()
      const taking = take(sender, { limit: 20 * MiB, deadline: new Deadline(1000) })
      for (let i = 0; i < 5; i++) sender.send(chunk)
      failWith(sender)
      await rejectionOf(() => taking)
      kept.push(sender)
      expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(MiB)
    }
    expect(kept).toHaveLength(3)
  })

  test('that arrives as text is rejected, with the solution, because its bytes are lost', async () => {
    const sender = new Sender()
    const taking = readBody({ read: sender.read, cure: 'mount hookserver first' }, boundsOf())
    const rejecting = rejectionOf(() => taking)
    sender.send('{}' as never)
    const rejection = await rejecting
    expect(rejection).toMatchObject({ code: 'body_already_parsed', cause: expect.stringContaining('encoding') })
    expect(rejection.message).toContain('mount hookserver first')
    expect(sender.stopped).toBe(1)
  })

  test('because other software consumed it is rejected at once, with the solution', async () => {
    const rejection = await rejectionOf(() =>
      readBody({ consumed: 'mount hookserver before express.json()' }, boundsOf()),
    )
    expect(rejection).toMatchObject({ code: 'body_already_parsed', status: 500 })
    expect(rejection.message).toBe(
      'The body was consumed before hookserver could verify it: mount hookserver before express.json()',
    )
  })
})

describe('a body that other software has kept', () => {
  test('is available at once, unchanged', () => {
    const bytes = bytesOf('{"zen":"🧘"}')
    const shown: Uint8Array[] = []
    const received = readBody({ bytes }, boundsOf(), (chunk) => shown.push(chunk)) as ReceivedBody
    expect(received.bytes).toBe(bytes)
    expect(shown).toEqual([bytes])
  })
})

describe('a body that one call can read', () => {
  const bytes = bytesOf('{"zen":"🧘"}')

  /** A call that the test settles. `released` counts the releases of its permit. */
  class Call {
    released = 0
    readonly reading = Promise.withResolvers<{ bytes: Uint8Array } | { consumed: string }>()
    readonly body: BodyInOneCall = {
      readAtOnce: () => this.reading.promise,
      inChunks: () => {
        throw new Error('The body was read in chunks')
      },
    }

    take({ onChunk, ...limits }: Bounds = {}) {
      return readBody(this.body, { ...boundsOf(limits), permit: () => void this.released++ }, onChunk)
    }
  }

  test('is read with one call, if there is a permit', async () => {
    const call = new Call()
    const shown: Uint8Array[] = []
    const taking = call.take({ onChunk: (chunk) => shown.push(chunk) })
    expect(call.released).toBe(0)
    call.reading.resolve({ bytes })
    expect([(await taking).bytes, shown, call.released]).toEqual([bytes, [bytes], 1])
  })

  test('is read in chunks otherwise', async () => {
    const sender = new Sender()
    const readAtOnce = () => {
      throw new Error('The body was read at once')
    }
    const taking = readBody({ readAtOnce, inChunks: () => ({ read: sender.read }) }, boundsOf())
    sender.send(bytes)
    sender.end()
    expect((await taking).bytes).toBe(bytes)
  })

  test.each([
    ['resolves', (call: Call) => call.reading.resolve({ bytes })],
    ['rejects', (call: Call) => call.reading.reject(new Error('ECONNRESET'))],
    ['stays pending', () => {}],
  ])('is rejected with body_timeout at the deadline, if the call later %s', async (_, settle) => {
    const call = new Call()
    const shown: Uint8Array[] = []
    const rejected = rejectionOf(() =>
      call.take({ deadline: new Deadline(1000), onChunk: (chunk) => shown.push(chunk) }),
    )
    pass(1000)
    expect(await rejected).toMatchObject({ code: 'body_timeout', status: 408 })
    settle(call)
    await turnOfTheLoop()
    expect([shown, call.released]).toEqual([[], 1])
  })

  test('is not read at all after the deadline', async () => {
    const call = new Call()
    const deadline = new Deadline(1000)
    pass(1000)
    const readAtOnce = () => {
      throw new Error('The body was read')
    }
    const limits = { ...boundsOf({ deadline }), permit: () => {} }
    expect((await rejectionOf(() => readBody({ ...call.body, readAtOnce }, limits))).code).toBe('body_timeout')
  })

  test.each([
    ['body_aborted', new Error('ECONNRESET')],
    ['body_aborted', undefined],
    ['payload_too_large', { status: 413 }],
  ])('is rejected with %s if the call fails with %o', async (code, cause) => {
    const call = new Call()
    call.reading.reject(cause)
    expect(await rejectionOf(() => call.take())).toMatchObject({ code, cause })
    expect(call.released).toBe(1)
  })

  test('is rejected by its real size, for any Content-Length', async () => {
    const call = new Call()
    call.reading.resolve({ bytes: new Uint8Array(11) })
    expect((await rejectionOf(() => call.take({ limit: 10, expected: 5 }))).code).toBe('payload_too_large')
  })

  test('is rejected with the solution if other software has consumed it', async () => {
    const call = new Call()
    call.reading.resolve({ consumed: 'pass on a clone()' })
    const rejection = await rejectionOf(() => call.take())
    expect([rejection.code, rejection.message]).toEqual([
      'body_already_parsed',
      expect.stringContaining('pass on a clone()'),
    ])
  })

  test('waits until there is memory for it', async () => {
    const memoryLimit = new MemoryLimit(2 * MiB)
    const other = memoryLimit.reserve(MiB)
    other.grow(MiB)
    other.complete()
    const call = new Call()
    const taking = call.take({ reservation: memoryLimit.reserve(10) })
    call.reading.resolve({ bytes })
    await turnOfTheLoop()
    expect([memoryLimit.held, call.released]).toEqual([MiB, 0])
    other.release()
    expect([(await taking).bytes, memoryLimit.held, call.released]).toEqual([bytes, bytes.length, 1])
  })
})

describe('free()', () => {
  test('immediately frees the memory of a body of many chunks', async () => {
    const { bytes, free } = await takeAll(cut(noise(10_000), 1000))
    const { buffer } = bytes
    free()
    expect([(buffer as ArrayBuffer).detached, buffer.byteLength, bytes.length]).toEqual([true, 0, 0])
  })

  test('does not free a body in one chunk, because hookserver does not own the buffer', async () => {
    const chunk = bytesOf('{"zen":"🧘"}')
    for (const body of [await takeAll([chunk]), await readBody({ bytes: chunk }, boundsOf())]) {
      body.free()
      expect(textOf(body.bytes)).toBe('{"zen":"🧘"}')
    }
  })
})
