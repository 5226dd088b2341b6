import { createHmac } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import type { ResolvedSecret, SecretResolver } from '../../src/options.ts'
import { findSigner, Key, parseSignature, type SignatureHeader } from '../../src/receiver/signature.ts'
import { Secrets } from '../../src/receiver/verifier.ts'
import { Deadline } from '../../src/runtime/deadline.ts'
import { bytesOf, rejectionOf, signatureOf, stopTheClock, textOf } from './fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

const headers = { 'x-github-hook-installation-target-id': '7' }
const lookUp = (resolver: SecretResolver, deadline = new Deadline(9000)) =>
  new Secrets(resolver).lookUp(headers, deadline)
const namesOf = ({ keys }: { keys: readonly Key[] }) => keys.map(({ bytes }) => textOf(bytes))

describe('fixed secrets', () => {
  test.each<[string, ConstructorParameters<typeof Secrets>[0], string[]]>([
    ['one text', 'new', ['new']],
    ['bytes', bytesOf('new'), ['new']],
    ['a list during a rotation', ['new', bytesOf('old')], ['new', 'old']],
  ])('are known before any request: %s', async (_, option, names) => {
    const secrets = new Secrets(option)
    expect(namesOf(secrets.fixed ?? { keys: [] })).toEqual(names)
    expect(await secrets.lookUp(headers, new Deadline(9000))).toBe(secrets.fixed)
    expect(secrets.fixed?.id).toBeUndefined()
  })

  test.each<[string | string[]]>([[''], [[]], [['new', '']]])('are never empty: %j', (option) => {
    expect(() => new Secrets(option)).toThrow(TypeError)
  })
})

describe('a secret resolver', () => {
  test.each<[string, ResolvedSecret, string[], string | undefined]>([
    ['text', 'new', ['new'], undefined],
    ['bytes', bytesOf('new'), ['new'], undefined],
    ['a list', ['new', bytesOf('old')], ['new', 'old'], undefined],
    ['a secret with an id', { secret: 'new', id: 'app-7' }, ['new'], 'app-7'],
    ['bytes with an id', { secret: bytesOf('new'), id: 'app-7' }, ['new'], 'app-7'],
    ['a list with an id', { secret: ['new', 'old'], id: 'app-7' }, ['new', 'old'], 'app-7'],
    ['a secret without its id', { secret: 'new' }, ['new'], undefined],
  ])('may return %s, or a promise of it', async (_, given, names, id) => {
    for (const resolver of [() => given, async () => given]) {
      const keyring = await lookUp(resolver)
      expect(namesOf(keyring)).toEqual(names)
      expect(keyring.id).toBe(id)
    }
  })

  test('is called for each delivery, with its headers', async () => {
    const resolver = vi.fn(() => 'new')
    const secrets = new Secrets(resolver)
    expect(secrets.fixed).toBeUndefined()
    for (let i = 0; i < 2; i++) await secrets.lookUp(headers, new Deadline(9000))
    expect(resolver.mock.calls).toEqual([[headers], [headers]])
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['no bytes', new Uint8Array()],
    ['an empty list', []],
    ['a list with an empty text', ['new', '']],
    ['a number', 7],
    ['an object that is not a secret', {}],
    ['an id without secret', { id: 'app-7' }],
    ['an id with an empty secret', { id: 'app-7', secret: '' }],
    ['an id with null', { id: 'app-7', secret: null }],
  ])('that returns %s makes the delivery retryable', async (_, given) => {
    for (const resolver of [() => given, async () => given]) {
      const rejection = await rejectionOf(() => lookUp(resolver as SecretResolver))
      expect(rejection).toMatchObject({
        code: 'secret_unavailable',
        status: 503,
        message: 'The secret is not available',
      })
      expect(rejection.headers['retry-after']).toBeDefined()
      expect(rejection.cause).toBeInstanceOf(Error)
    }
  })

  test('that throws makes the delivery retryable, and the sender does not see its error', async () => {
    const cause = new Error('vault.internal: permission denied')
    const throws = () => {
      throw cause
    }
    for (const resolver of [throws, () => Promise.reject(cause)]) {
      const rejection = await rejectionOf(() => lookUp(resolver))
      expect(rejection).toMatchObject({ code: 'secret_unavailable', cause })
      expect(JSON.stringify(rejection.problem())).not.toContain('vault')
    }
  })

  test('that is too slow is abandoned at the deadline', async () => {
    const rejected = rejectionOf(() => lookUp(() => new Promise(() => {}), new Deadline(9000)))
    vi.advanceTimersByTime(9000)
    expect(await rejected).toMatchObject({
      code: 'secret_unavailable',
      cause: expect.objectContaining({ message: expect.stringContaining('in time') }),
    })
  })

  test('that fails after the deadline is ignored', async () => {
    const answer = Promise.withResolvers<string>()
    const rejected = rejectionOf(() => lookUp(() => answer.promise, new Deadline(9000)))
    vi.advanceTimersByTime(9000)
    answer.reject(new Error('too late'))
    expect((await rejected).code).toBe('secret_unavailable')
  })
})

describe('the signer of a delivery', () => {
  const body = bytesOf('{"zen":"🧘"}')
  const keys = ['newest', 'new', 'old'].map((secret) => new Key(secret))
  const headerOf = (secret: string, algorithm?: 'sha1') =>
    parseSignature(signatureOf(secret, body, algorithm)) as SignatureHeader

  test.each([
    ['newest', 0],
    ['new', 1],
    ['old', 2],
    ['another', -1],
  ])('is identified by its index: %s', async (secret, index) => {
    for (const createHmacOrNone of [undefined, createHmac]) {
      expect(await findSigner(keys, headerOf(secret), body, createHmacOrNone)).toBe(index)
      expect(await findSigner(keys, headerOf(secret, 'sha1'), body, createHmacOrNone)).toBe(index)
    }
  })

  test('is the first of two equal secrets', async () => {
    expect(await findSigner([new Key('a'), new Key('same'), new Key('same')], headerOf('same'), body)).toBe(1)
  })

  test('is missing without a key', async () => expect(await findSigner([], headerOf('old'), body)).toBe(-1))

  test('is found among the keys that were not tried', async () => {
    const hmacs = keys.map((key) => vi.spyOn(key, 'hmac'))
    expect(await findSigner(keys, headerOf('old'), body, undefined, 1)).toBe(2)
    expect(hmacs.map(({ mock }) => mock.calls.length)).toEqual([0, 1, 1])
    expect(await findSigner(keys, headerOf('newest'), body, undefined, 1)).toBe(-1)
  })
})
