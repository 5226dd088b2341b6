import crypto from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHmac, createHmacWith } from '../../src/adapters/hmac.ts'
import type { HashName } from '../../src/http.ts'

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

function digestOf(algorithm: HashName, key: Uint8Array, chunks: readonly Uint8Array[], create = createHmac): string {
  const hmac = create?.(algorithm, key)
  for (const chunk of chunks) hmac?.update(chunk)
  return Buffer.from(hmac?.digest() ?? []).toString('hex')
}

/** Test cases 1, 2, 4 and 6 of RFC 4231, section 4, and 1 and 6 of RFC 2202, section 3. */
const vectors: [HashName, string, string, string][] = [
  [
    'sha256',
    '0b'.repeat(20),
    Buffer.from('Hi There').toString('hex'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    'sha256',
    Buffer.from('Jefe').toString('hex'),
    Buffer.from('what do ya want for nothing?').toString('hex'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'sha256',
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [
    'sha256',
    'aa'.repeat(131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  ['sha1', '0b'.repeat(20), Buffer.from('Hi There').toString('hex'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
  [
    'sha1',
    'aa'.repeat(80),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    'aa4ae5e15272d00e95705637ce8a3b55ed402112',
  ],
]

describe('an HMAC', () => {
  test.each(vectors)('has the digest of the RFC: %s, key %s', (algorithm, key, data, expected) => {
    expect(digestOf(algorithm, bytesOf(key), [bytesOf(data)])).toBe(expected)
  })

  test('equals the one of node:crypto, for any key and message, in any chunks', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 200 })
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom<HashName>('sha256', 'sha1'), key, chunks, (algorithm, secret, message) => {
        const expected = crypto.createHmac(algorithm, secret).update(Buffer.concat(message)).digest('hex')
        expect(digestOf(algorithm, secret, message)).toBe(expected)
      }),
      { numRuns: 1000 },
    )
  })

  test.each([65_535, 65_536, 65_537, 200_000])('of %i bytes in one chunk equals the one of node:crypto', (size) => {
    const [key, body] = [new Uint8Array(32).fill(7), new Uint8Array(size).fill(9)]
    for (const message of [body, new Uint8Array(3)]) {
      expect(digestOf('sha256', key, [message])).toBe(crypto.createHmac('sha256', key).update(message).digest('hex'))
    }
  })

  test('has the digest of the RFC without crypto.hash', () => {
    const create = createHmacWith({
      createSecretKey: (bytes) => crypto.createSecretKey(bytes),
      createHmac: (algorithm, key) => crypto.createHmac(algorithm, key as crypto.KeyObject),
    })
    const [, key, data, expected] = vectors[0] as (typeof vectors)[0]
    expect(digestOf('sha256', bytesOf(key), [bytesOf(data)], create)).toBe(expected)
  })

  test('has the right digest for each of several interleaved messages', () => {
    const key = new Uint8Array([1])
    const messages = ['a', 'b', 'c'].map((text) => Buffer.from(text))
    const hmacs = messages.map((message) => {
      const hmac = createHmac?.('sha256', key)
      hmac?.update(message)
      return hmac
    })
    expect(hmacs.map((hmac) => Buffer.from(hmac?.digest() ?? []).toString('hex'))).toEqual(
      messages.map((message) => crypto.createHmac('sha256', key).update(message).digest('hex')),
    )
  })
})
