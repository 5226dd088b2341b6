import { createHash } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { pack, packLarge, unpack } from '../../src/sqlite/bodies.ts'

const bodies: [string, Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['text beyond ASCII', new TextEncoder().encode('{"text":"naïve 🚀 日本"}'.repeat(100))],
  ['any bytes', Uint8Array.from({ length: 1000 }, (_, i) => (i * 97) % 256)],
  ['a view into a larger buffer', new Uint8Array(Uint8Array.from({ length: 300 }, (_, i) => i % 256).buffer, 7, 100)],
]

test.each(bodies)('%s comes back byte for byte, with its hash and its size', async (_name, bytes) => {
  for (const { bytes: kept, sha256, size } of [pack(bytes), await packLarge(bytes)]) {
    expect(Buffer.compare(unpack(kept), bytes)).toBe(0)
    expect(Buffer.from(sha256).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(size).toBe(bytes.length)
  }
})

test('what is kept is zstd, and small', () => {
  const [, text] = bodies[1] as (typeof bodies)[0]
  const { bytes } = pack(text)
  expect(Buffer.compare(zstdDecompressSync(bytes), text)).toBe(0)
  expect(bytes.length).toBeLessThan(text.length / 10)
})
