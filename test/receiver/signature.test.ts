import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CreateHmac, HashName } from '../../src/http.ts'
import type { Secret } from '../../src/options.ts'
import { equalDigests, Key, parseSignature, readSignature, sign, verify } from '../../src/receiver/signature.ts'
import { anyString } from '../any-string.ts'
import { bytesOf, documented, rejectionOf, signatureOf } from './fixtures.ts'

const { secret, body, sha256, sha1 } = documented
const ancestors = { key: 'Some key', body: '{}', sha1: 'sha1=e1590250fd7dd7882185062d1ade5bef8cb4319c' }

test('verify: a missing signature is wrong', async () => {
  for (const nothing of [undefined, null, 1]) expect(await verify('s', '{}', nothing as never)).toBe(false)
})

describe('sign and verify', () => {
  test('agree with GitHub’s documentation', async () => {
    expect(await sign(secret, body)).toBe(sha256)
    expect(await sign(secret, body, 'sha256')).toBe(sha256)
    expect(await sign(secret, body, 'sha1')).toBe(sha1)
    expect(await verify(secret, body, sha256)).toBe(true)
    expect(await verify(secret, body, sha1)).toBe(true)
  })

  test('agree with Flask-Hookserver', async () => {
    expect(await sign(ancestors.key, ancestors.body, 'sha1')).toBe(ancestors.sha1)
    expect(await verify(ancestors.key, ancestors.body, ancestors.sha1)).toBe(true)
  })

  test('agree with Node.js and each other for any secret and any body', async () => {
    const notBlank = anyString().filter((text) => text.trim() !== '')
    const secrets = fc.oneof(notBlank, fc.uint8Array({ minLength: 1 }))
    const any = fc.oneof(anyString(), fc.uint8Array())
    const agree = fc.asyncProperty(
      secrets,
      any,
      fc.constantFrom<HashName>('sha256', 'sha1'),
      async (key, message, algorithm) => {
        const signature = await sign(key, message, algorithm)
        expect(signature).toBe(signatureOf(key, message, algorithm))
        expect(await verify(key, message, signature)).toBe(true)
      },
    )
    await fc.assert(agree)
  })

  test('treat text like its UTF-8 bytes', async () => {
    const [key, message] = ['clé 🔑', 'naïve 🚀']
    const signature = signatureOf(key, message)
    expect(await sign(bytesOf(key), bytesOf(message))).toBe(signature)
    expect(await verify(bytesOf(key), message, signature)).toBe(true)
    expect(await verify(key, bytesOf(message), signature)).toBe(true)
  })

  test('detect another secret, another body and another algorithm', async () => {
    expect(await verify(`${secret} `, body, sha256)).toBe(false)
    expect(await verify(secret, `${body} `, sha256)).toBe(false)
    expect(await verify(secret, '', sha256)).toBe(false)
    expect(await verify(secret, body, sha256.replace('sha256', 'sha1'))).toBe(false)
    expect(await verify(secret, body, sha1.replace('sha1', 'sha256'))).toBe(false)
  })

  test('accept hexadecimal digits in upper and lower case', async () => {
    expect(await verify(secret, body, `sha256=${sha256.slice(7).toUpperCase()}`)).toBe(true)
  })

  test.each(['', new Uint8Array()])('reject an empty secret: %j', async (empty) => {
    await expect(sign(empty, body)).rejects.toThrow(TypeError)
    await expect(verify(empty, body, sha256)).rejects.toThrow(TypeError)
    await expect(verify(empty, body, 'malformed')).rejects.toThrow(TypeError)
  })
})

const malformed = [
  '',
  '=',
  'sha256',
  'sha256=',
  sha256.slice('sha256='.length),
  sha256.slice(0, -1),
  `${sha256}0`,
  `${sha256}00`,
  ` ${sha256}`,
  `${sha256}\n`,
  sha256.replace('sha256', 'SHA256'),
  sha256.replace('sha256', 'sha512'),
  sha256.replace('=', ':'),
  `${sha256},${sha256}`,
  `${sha256.slice(0, -1)}g`,
  `${sha256.slice(0, -1)}-`,
  `${sha256.slice(0, -1)}@`,
  `${sha256.slice(0, -1)}\u0137`, // its low byte is that of "7"
  `${sha256.slice(0, -1)}７`,
  `sha256=0x${sha256.slice(9)}`,
  `sha1=${'0'.repeat(64)}`,
  `sha256=${'0'.repeat(40)}`,
]

describe('a malformed signature', () => {
  test.each(malformed)('is wrong and does not throw: %j', async (signature) => {
    expect(parseSignature(signature)).toBeUndefined()
    expect(await verify(secret, body, signature)).toBe(false)
  })

  test('is any text that is not a signature', () => {
    fc.assert(
      fc.property(anyString(), fc.constantFrom('', 'sha256=', 'sha1='), (text, prefix) => {
        const parsed = parseSignature(prefix + text)
        expect(parsed === undefined || /^sha(256=[0-9a-f]{64}|1=[0-9a-f]{40})$/i.test(prefix + text)).toBe(true)
      }),
    )
  })
})

describe('the comparison of digests', () => {
  test.each([20, 32])('finds a difference of any bit at any place, in %i bytes', (length) => {
    const digest = Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 255)
    expect(equalDigests(digest, digest.slice())).toBe(true)
    const unseen: number[] = []
    for (let bit = 0; bit < 8 * length; bit++) {
      const other = digest.slice()
      other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7))
      if (equalDigests(digest, other) || equalDigests(other, digest)) unseen.push(bit)
    }
    expect(unseen).toEqual([])
  })

  test('finds two differences that would cancel each other out', () => {
    expect(equalDigests(Uint8Array.of(1, 2, 3), Uint8Array.of(2, 1, 3))).toBe(false)
  })

  test('finds a difference in length', () => {
    const digest = new Uint8Array(32)
    for (const length of [0, 1, 31, 33]) {
      expect(equalDigests(digest, new Uint8Array(length))).toBe(false)
      expect(equalDigests(new Uint8Array(length), digest)).toBe(false)
    }
  })
})

describe('the signature header of a request', () => {
  const both: HashName[] = ['sha256', 'sha1']
  const headersOf = (strong: string | undefined, weak: string | undefined) => ({
    'x-hub-signature-256': strong,
    'x-hub-signature': weak,
  })

  test('is the stronger of two, in any order of signatureAlgorithms', () => {
    for (const accepted of [both, both.toReversed()]) {
      const signature = readSignature({ headers: headersOf(sha256, sha1) }, accepted)
      expect(signature).toEqual({ algorithm: 'sha256', digest: new Uint8Array(Buffer.from(sha256.slice(7), 'hex')) })
    }
  })

  test('is SHA-1 if there is no other', () => {
    const signature = readSignature({ headers: headersOf(undefined, sha1) }, both)
    expect(signature).toEqual({ algorithm: 'sha1', digest: new Uint8Array(Buffer.from(sha1.slice(5), 'hex')) })
  })

  test.each([...malformed, sha1])(
    'is wrong, even with a correct SHA-1 signature, if the stronger one is %j',
    async (strong) => {
      const rejection = await rejectionOf(() => readSignature({ headers: headersOf(strong, sha1) }, both))
      expect(rejection).toMatchObject({ code: 'wrong_signature', status: 400, message: 'Wrong signature' })
    },
  )

  test.each(['', sha256, sha1.slice(0, -1)])('is wrong if X-Hub-Signature is %j', async (weak) => {
    expect((await rejectionOf(() => readSignature({ headers: headersOf(undefined, weak) }, both))).code).toBe(
      'wrong_signature',
    )
  })

  test('is missing without a header, with the text of Flask-Hookserver', async () => {
    const rejection = await rejectionOf(() => readSignature({ headers: { 'x-github-event': 'ping' } }, both))
    expect(rejection).toMatchObject({ code: 'missing_signature', status: 400, message: 'Missing signature' })
    expect(rejection.cause).toBe('probably the webhook on GitHub has no secret')
  })

  test('is missing if its algorithm is not accepted, and the log has the reason', async () => {
    const rejection = await rejectionOf(() => readSignature({ headers: headersOf(undefined, sha1) }, ['sha256']))
    expect(rejection).toMatchObject({
      code: 'missing_signature',
      cause: expect.stringContaining('signatureAlgorithms'),
    })
    expect((await rejectionOf(() => readSignature({ headers: headersOf(sha256, undefined) }, ['sha1']))).code).toBe(
      'missing_signature',
    )
  })
})

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
afterEach(() => void vi.restoreAllMocks())

describe.each<[string, CreateHmac | undefined]>([
  ['WebCrypto', undefined],
  ['Node.js', createHmac],
])('a key, with the HMAC of %s', (_, platform) => {
  test('computes the HMACs of RFC 4231 and RFC 2202', async () => {
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

  test('uses the bytes of a view, and not the rest of its buffer', async () => {
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
  test('is the UTF-8 bytes of a string', () => {
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

  test('is not imported if the platform computes the HMAC', async () => {
    const imports = vi.spyOn(crypto.subtle, 'importKey')
    await new Key('secret').hmac('sha256', bytesOf('{}'), createHmac)
    expect(imports).not.toHaveBeenCalled()
  })

  test.each([[''], [' '], ['\t\n'], [new Uint8Array()], [undefined], [null], [7], [['secret']], [{}]])(
    'cannot be created from an empty or invalid secret: %j',
    (secret) => {
      expect(() => new Key(secret as Secret)).toThrow(
        new TypeError('A secret must be a text that is not blank, or a non-empty Uint8Array'),
      )
    },
  )
})
