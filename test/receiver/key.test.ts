import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CreateHmac } from '../../src/http.ts'
import type { Secret } from '../../src/options.ts'
import { Key } from '../../src/receiver/signature.ts'
import { bytesOf } from './fixtures.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
afterEach(() => void vi.restoreAllMocks())

describe.each<[string, CreateHmac | undefined]>([
  ['WebCrypto', undefined],
  ['Node.js', createHmac],
])('a key, with the HMAC of %s', (_, platform) => {
  test('makes the HMACs of RFC 4231 and RFC 2202', async () => {
    const key = new Key(new Uint8Array(20).fill(0x0b))
    expect(hex(await key.hmac('sha256', bytesOf('Hi There'), platform))).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    expect(hex(await key.hmac('sha1', bytesOf('Hi There'), platform))).toBe('b617318655057264e28bc0b6fb378c8ef146be00')
  })

  test('may be longer than a block of the hash', async () => {
    const key = new Key(new Uint8Array(131).fill(0xaa))
    const body = bytesOf('Test Using Larger Than Block-Size Key - Hash Key First')
    expect(hex(await key.hmac('sha256', body, platform))).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    )
  })

  test('takes the bytes of a view, and no more of its buffer', async () => {
    const whole = bytesOf('before|It’s a Secret|Hello|after')
    const cut = (text: string) => {
      const start = Buffer.from(whole).indexOf(text)
      return whole.subarray(start, start + bytesOf(text).length)
    }
    const expected = createHmac('sha256', 'It’s a Secret').update('Hello').digest('hex')
    expect(hex(await new Key(cut('It’s a Secret')).hmac('sha256', cut('Hello'), platform))).toBe(expected)
  })
})

describe('a key', () => {
  test('is a text’s UTF-8 bytes', () => {
    expect(new Key('clé 🔑').bytes).toEqual(new Uint8Array(Buffer.from('clé 🔑', 'utf8')))
  })

  test('is imported once for each algorithm', async () => {
    const imports = vi.spyOn(crypto.subtle, 'importKey')
    const key = new Key('secret')
    const body = bytesOf('{}')
    await Promise.all([key.hmac('sha256', body), key.hmac('sha256', body)])
    await key.hmac('sha256', body)
    expect(imports).toHaveBeenCalledTimes(1)
    await key.hmac('sha1', body)
    expect(imports).toHaveBeenCalledTimes(2)
  })

  test('is not imported where the platform makes the HMAC', async () => {
    const imports = vi.spyOn(crypto.subtle, 'importKey')
    await new Key('secret').hmac('sha256', bytesOf('{}'), createHmac)
    expect(imports).not.toHaveBeenCalled()
  })

  test.each([[''], [new Uint8Array()], [undefined], [null], [7], [['secret']], [{}]])(
    'is never made of an empty secret, or of what is none: %j',
    (secret) => {
      expect(() => new Key(secret as Secret)).toThrow(
        new TypeError('A secret must be a non-empty string or Uint8Array'),
      )
    },
  )
})
