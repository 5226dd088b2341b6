import { describe, expect, test } from 'vitest'
import { BodyBuffer } from '../../src/receiver/body-buffer.ts'
import { MiB } from './fixtures.ts'

const bytes = Uint8Array.from({ length: MiB + 1 }, (_, i) => (i * 2_654_435_761) >>> 24)

/** A buffer that has got the first `length` bytes in chunks of `size` bytes. As a connection does, it reuses the chunks. */
function filled(size: number, length: number, announced?: number): BodyBuffer {
  const buffer = new BodyBuffer(announced)
  for (let at = 0; at < length; at += size) {
    const chunk = bytes.slice(at, Math.min(at + size, length))
    buffer.append(chunk)
    if (at > 0) chunk.fill(0)
  }
  return buffer
}

describe('BodyBuffer', () => {
  test.each([999, 64 * 1024, 256 * 1024, 300_000, MiB])('joins chunks of %i bytes', (size) => {
    for (const announced of [undefined, 1, 500_000, bytes.length, 2 * bytes.length, 100 * MiB]) {
      const taken = filled(size, bytes.length, announced).take()
      expect(Buffer.compare(taken.bytes, bytes)).toBe(0)
    }
  })

  test('leaves no unused memory after the bytes of a body of unknown size', () => {
    for (const length of [100_000, 600_000, bytes.length]) {
      expect(filled(1000, length).take().bytes.buffer.byteLength).toBe(length)
    }
  })

  test('holds no bytes after discard()', () => {
    const buffer = filled(1000, 600_000)
    buffer.discard()
    expect([buffer.size, buffer.take().bytes.length]).toEqual([0, 0])
  })
})
