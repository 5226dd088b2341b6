import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HookError } from '../../src/errors.ts'
import type { HeaderSource } from '../../src/http.ts'
import {
  contentLength,
  formField,
  parseBody,
  payloadForm,
  readHeaders as read,
  toPayload,
} from '../../src/receiver/payload.ts'
import { anyString } from '../any-string.ts'
import { bytesOf, rejectionOf } from './fixtures.ts'

const formOf = (json: string) => bytesOf(new URLSearchParams({ payload: json }).toString())
const big = 1_000_000

const readHeaders = (request: HeaderSource) => read(request, payloadForm(request))

describe('the content type', () => {
  test.each([
    ['application/json', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['Application/JSON ;charset=UTF-8', 'json'],
    ['application/x-www-form-urlencoded', 'form'],
    ['application/x-www-form-urlencoded; charset=utf-8', 'form'],
  ])('is one of GitHub’s two: %s', (type, form) => {
    expect(payloadForm({ headers: { 'content-type': type } })).toBe(form)
    expect(payloadForm({ headers: { 'content-type': type, 'content-encoding': 'identity' } })).toBe(form)
  })

  test.each([
    undefined,
    '',
    ';',
    'text/plain',
    'application/jsonp',
    'application/json, text/plain',
    'application/vnd.api+json',
    'multipart/form-data; boundary=application/json',
    'text/plain; application/json',
    'constructor',
  ])('is rejected if it is any other: %j', (type) =>
    expect(payloadForm({ headers: { 'content-type': type } })).toBeUndefined(),
  )

  test.each(['gzip', 'br', 'deflate', ''])('is not accepted for a body compressed with %j', (coding) => {
    expect(payloadForm({ headers: { 'content-type': 'application/json', 'content-encoding': coding } })).toBeUndefined()
  })
})

describe('a payload', () => {
  test('is the sent JSON object, as JSON and as a form', () => {
    const objects = fc.dictionary(anyString(), fc.jsonValue())
    const same = fc.property(objects, (sent) => {
      const json = JSON.stringify(sent)
      expect(parseBody(bytesOf(json), 'json', big)).toEqual(JSON.parse(json))
      expect(parseBody(formOf(json), 'form', big)).toEqual(JSON.parse(json))
    })
    fc.assert(same)
  })

  test('has every character', () => {
    const json = '{"text":"naïve 🚀 a+b %41 &payload={} \\u0000"}'
    expect(parseBody(bytesOf(json), 'json', big)).toEqual({ text: 'naïve 🚀 a+b %41 &payload={} \0' })
    expect(parseBody(formOf(json), 'form', big)).toEqual({ text: 'naïve 🚀 a+b %41 &payload={} \0' })
  })

  test('cannot reach any prototype', () => {
    const payload = parseBody(bytesOf('{"__proto__":{"polluted":true},"constructor":1}'), 'json', big)
    expect(Object.hasOwn(payload, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test.each(['', ' ', '{', '{"a":1}}', "{'a':1}", 'undefined', '{"a":NaN}', 'payload={}'])(
    'is rejected if it is not JSON: %j',
    async (json) => {
      const rejection = await rejectionOf(() => parseBody(bytesOf(json), 'json', big))
      expect(rejection).toMatchObject({ code: 'invalid_payload', status: 400, cause: expect.any(Error) })
      expect(rejection.message).toBe('The payload is not a JSON object')
      expect((await rejectionOf(() => parseBody(formOf(json), 'form', big))).code).toBe('invalid_payload')
    },
  )

  test.each(['null', 'true', '7', '"text"', '[]', '[{"a":1}]'])(
    'is rejected if it is not an object: %s',
    async (json) => {
      expect((await rejectionOf(() => parseBody(bytesOf(json), 'json', big))).code).toBe('invalid_payload')
      expect((await rejectionOf(() => parseBody(formOf(json), 'form', big))).code).toBe('invalid_payload')
    },
  )

  test('is rejected if it is not UTF-8', async () => {
    const latin1 = Buffer.from('{"a":"é"}', 'latin1')
    expect((await rejectionOf(() => parseBody(latin1, 'json', big))).code).toBe('invalid_payload')
    expect((await rejectionOf(() => parseBody(bytesOf('payload={"a":"%E9"}'), 'form', big))).code).toBe(
      'invalid_payload',
    )
    const cut = bytesOf('{"a":"🚀"}').slice(0, -4)
    expect((await rejectionOf(() => parseBody(cut, 'json', big))).code).toBe('invalid_payload')
  })

  test('may contain U+FFFD, which other decoders put in place of invalid bytes', () => {
    expect(parseBody(bytesOf('{"a":"\uFFFD"}'), 'json', big)).toEqual({ a: '\uFFFD' })
    const bytes = Buffer.from('{"a":"\uFFFDé"}')
    expect(() => parseBody(bytes.subarray(0, -3), 'json', big)).toThrow(HookError)
  })

  test('that is rejected is not part of the reply', async () => {
    const rejection = await rejectionOf(() => parseBody(bytesOf('{"token":hunter2}'), 'json', big))
    expect(JSON.stringify(rejection.problem())).not.toContain('hunter2')
  })
})

describe('the form', () => {
  test.each([
    ['payload=%7B%7D', '{}'],
    ['payload={}', '{}'],
    ['a=1&payload=%7b%7d&b=2', '{}'],
    ['payload=%7B%22a%22%3A%22b+c%2Bd%22%7D', '{"a":"b c+d"}'],
    ['payload=1&payload=2', '1'],
    ['payload=a=b', 'a=b'],
    ['payload=', ''],
  ])('has its JSON in the field "payload": %s', (form, json) => expect(formField(form)).toBe(json))

  test.each(['', 'payload', 'Payload={}', 'xpayload={}', 'a=payload={}', '{"payload":{}}'])(
    'is rejected without the field "payload": %j',
    async (form) => {
      const rejection = await rejectionOf(() => formField(form))
      expect(rejection).toMatchObject({ code: 'invalid_payload', cause: 'the form has no field "payload"' })
    },
  )

  test.each(['payload=%', 'payload=%7', 'payload=%zz', 'payload=%ff'])(
    'is rejected if it is badly escaped: %s',
    async (form) => {
      expect((await rejectionOf(() => parseBody(bytesOf(form), 'form', big))).code).toBe('invalid_payload')
    },
  )

  test('is limited by its payload and not by the size of its encoding', async () => {
    for (const text of ['plain', 'é🚀', '& && %+', '"\\"', '                    ']) {
      const json = JSON.stringify({ text })
      const { length } = bytesOf(json)
      expect(parseBody(formOf(json), 'form', length)).toEqual({ text })
      const rejection = await rejectionOf(() => parseBody(formOf(json), 'form', length - 1))
      expect(rejection).toMatchObject({ code: 'payload_too_large', status: 413 })
    }
  })

  test('with other fields is limited only by its payload', () => {
    const padded = bytesOf(`padding=${'x'.repeat(100)}&payload={}`)
    expect(parseBody(padded, 'form', 2)).toEqual({})
    expect(() => parseBody(padded, 'form', 1)).toThrow(HookError)
  })
})

describe('the payload for handlers', () => {
  const json = '{"id":9007199254740993,"action":"opened","sender":{"login":"ada"},"repository":{"full_name":"a/b"}}'

  test('is the object that hookserver reads, without parsePayload', () => {
    const payload = toPayload(json, undefined)
    const { data, members } = payload.forHandlers()
    expect(data).toEqual(JSON.parse(json))
    expect([data, members]).toEqual([payload.plain, payload.plain])
    expect(data).toBe(members)
  })

  test('is the result of parsePayload, which is called once, and only for handlers', () => {
    const texts: string[] = []
    const result = { any: 'object' }
    const payload = toPayload(json, (text) => {
      texts.push(text)
      return result
    })
    expect(payload.plain).toEqual(JSON.parse(json))
    expect(texts).toEqual([])
    expect(payload.forHandlers().data).toBe(result)
    expect(payload.forHandlers().data).toBe(result)
    expect(texts).toEqual([json])
  })

  test('does not change what hookserver reads', () => {
    const { members } = toPayload(json, () => ({ action: 'x', sender: 1n })).forHandlers()
    expect(members).toEqual({
      action: 'opened',
      repository: { full_name: 'a/b' },
      sender: { login: 'ada' },
      installation: { id: undefined },
    })
  })

  test('does not change the id of the installation, which has all its digits', () => {
    const idIn = (id: string, parse?: () => object) => {
      const { data, members } = toPayload(`{"installation":{"id":${id}}}`, parse).forHandlers()
      return [data, (members as { installation: { id: unknown } }).installation.id]
    }
    expect(idIn('7')).toEqual([{ installation: { id: 7 } }, 7])
    expect(idIn('9007199254740993')).toEqual([{ installation: { id: 9007199254740992 } }, '9007199254740993'])
    expect(idIn('9007199254740993', () => ({}))).toEqual([{}, '9007199254740993'])
    expect(idIn('7', () => ({}))).toEqual([{}, '7'])
    expect(idIn('1e300')).toEqual([{ installation: { id: 1e300 } }, undefined])
  })

  test('cannot be read if the id of the installation can only be rounded', async () => {
    // The nesting is too deep for a reviver, and not too deep for `JSON.parse`.
    const deep = `{"installation":{"id":9007199254740993},"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const rejection = await rejectionOf(() => toPayload(deep, undefined).forHandlers())
    expect(rejection).toMatchObject({ code: 'invalid_payload', cause: expect.any(RangeError) })
  })

  test('cannot be read if parsePayload throws', async () => {
    const cause = new Error('of the parser')
    const payload = toPayload(json, () => {
      throw cause
    })
    const rejection = await rejectionOf(() => payload.forHandlers())
    expect(rejection).toMatchObject({ code: 'invalid_payload', message: 'Option "parsePayload" failed', cause })
  })

  const rejecting = () => Promise.reject(new Error('of the parser'))
  test.each([() => [], () => null, () => undefined, () => '{}', () => 1n, async () => ({}), rejecting])(
    'cannot be read if parsePayload returns no object, or a promise: %o',
    async (parse) => {
      const rejection = await rejectionOf(() => toPayload(json, parse as () => object).forHandlers())
      expect(rejection).toMatchObject({
        code: 'invalid_payload',
        message: 'Option "parsePayload" must return an object, not a list or a promise',
      })
    },
  )

  test('is not parsed by parsePayload if it is not the JSON of an object', async () => {
    const parse = () => {
      throw new Error('must not be called')
    }
    for (const text of ['', '[]', '1', '{"a":1,}']) {
      expect((await rejectionOf(() => toPayload(text, parse))).code).toBe('invalid_payload')
    }
  })
})

const right = {
  'x-github-event': 'issues',
  'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  'content-type': 'application/json',
}

describe('the headers of a delivery', () => {
  test('have its event, its GUID and its form', () => {
    const { 'x-github-event': event, 'x-github-delivery': guid } = right
    expect(readHeaders({ headers: right })).toEqual({ event, guid, form: 'json' })
    const form = { ...right, 'content-type': 'application/x-www-form-urlencoded' }
    expect(readHeaders({ headers: form })).toEqual({ event, guid, form: 'form' })
  })

  test.each([
    ['x-github-event', 400, 'missing_event', 'Missing header: X-GitHub-Event'],
    ['x-github-delivery', 400, 'missing_delivery', 'Missing header: X-GitHub-Delivery'],
    [
      'content-type',
      415,
      'unsupported_media_type',
      'Payloads are application/json or application/x-www-form-urlencoded',
    ],
  ])('must have %s, and it must not be empty', async (name, status, code, message) => {
    for (const value of [undefined, '']) {
      const rejection = await rejectionOf(() => readHeaders({ headers: { ...right, [name]: value } }))
      expect(rejection).toMatchObject({ status, code, message })
    }
  })

  test('are checked in the order of Flask-Hookserver: event, delivery, content type', async () => {
    expect((await rejectionOf(() => readHeaders({ headers: {} }))).code).toBe('missing_event')
    expect((await rejectionOf(() => readHeaders({ headers: { 'x-github-event': 'ping' } }))).code).toBe(
      'missing_delivery',
    )
  })

  test.each(['x-github-event', 'x-github-delivery'])('may have 100 characters in %s, and no more', async (name) => {
    const withLength = (length: number) => readHeaders({ headers: { ...right, [name]: 'x'.repeat(length) } })
    expect(Object.values(withLength(100))).toContain('x'.repeat(100))
    expect(await rejectionOf(() => withLength(101))).toMatchObject({ status: 400, code: 'header_too_long' })
  })

  test('may have any event', () => {
    for (const event of ['constructor', '__proto__', '*', 'error', 'an_event_of_tomorrow']) {
      expect(readHeaders({ headers: { ...right, 'x-github-event': event } }).event).toBe(event)
    }
  })
})

describe('Content-Length', () => {
  test.each([
    ['0', 0],
    ['26214400', 26_214_400],
    ['007', 7],
    ['9'.repeat(400), Number.POSITIVE_INFINITY],
  ])('is a number of bytes: %s', (text, bytes) =>
    expect(contentLength({ headers: { 'content-length': text } })).toBe(bytes),
  )

  test.each([undefined, '', ' ', '-1', '+1', '1.5', '1e3', '0x10', '5, 5', '5 ', 'NaN', '５'])(
    'counts as missing if it is invalid: %j',
    (text) => expect(contentLength({ headers: { 'content-length': text } })).toBeUndefined(),
  )

  test('counts as missing next to a Transfer-Encoding', () => {
    const headers = { 'content-length': '5', 'transfer-encoding': 'chunked' }
    expect(contentLength({ headers })).toBeUndefined()
  })
})
