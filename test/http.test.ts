import { describe, expect, test } from 'vitest'
import { createdHeaders, noContent, type PlainReply, replyOf, textReply } from '../src/http.ts'

describe('the return value of a hook', () => {
  test.each(['pong', '', 'naïve 🚀', '<script>alert(1)</script>'])('is plain text if it is a string: %j', (text) => {
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    expect(replyOf(text)).toEqual({ status: 200, headers, body: text })
    expect(textReply(text)).toEqual(replyOf(text))
  })

  test.each([
    [{ ok: true, text: 'naïve 🚀' }, '{"ok":true,"text":"naïve 🚀"}'],
    [{}, '{}'],
    [[1, 'two', null], '[1,"two",null]'],
    [[], '[]'],
    [7, '7'],
    [0, '0'],
    [true, 'true'],
    [false, 'false'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ toJSON: () => 'itself' }, '"itself"'],
  ])('is JSON if it is neither text nor a Response: %j', (returned, body) => {
    expect(replyOf(returned)).toEqual({ status: 200, headers: { 'content-type': 'application/json' }, body })
  })

  test('is not changed if it is a Response', () => {
    const response = new Response('created', { status: 201, headers: { 'x-own': '1' } })
    expect(replyOf(response)).toBe(response)
    expect(response.bodyUsed).toBe(false)
  })

  test('may be the Response of another realm or of a polyfill', () => {
    class Response {
      readonly bodyUsed = false
      readonly [Symbol.toStringTag] = 'Response'
    }
    const response = new Response()
    expect(replyOf(response)).toBe(response)
  })

  test('cannot be sent if it is a Response that has been read', async () => {
    const response = new Response('once')
    await response.text()
    expect(() => replyOf(response)).toThrow(TypeError)
  })

  const circular: { self?: unknown } = {}
  circular.self = circular
  test.each([
    ['a circular object', circular],
    ['a BigInt', 7n],
    ['an object with a BigInt', { id: 7n }],
    ['a function', () => 'pong'],
    ['a symbol', Symbol('pong')],
    ['an object whose toJSON returns undefined', { toJSON: () => undefined }],
  ])('cannot be sent if JSON cannot represent it: %s', (_, returned) =>
    expect(() => replyOf(returned)).toThrow(TypeError),
  )

  test('throws the error of JSON.stringify', () => {
    const failure = new Error('no JSON today')
    const toJSON = () => {
      throw failure
    }
    expect(() => replyOf({ toJSON })).toThrow(failure)
  })

  test('is never a page that a browser renders', () => {
    for (const returned of ['<script>', { html: '<script>' }]) {
      expect((replyOf(returned) as PlainReply).headers['content-type']).not.toContain('html')
    }
  })
})

describe('no return value', () => {
  test('is 204 without a body, and a new object for each delivery', () => {
    expect(noContent()).toEqual({ status: 204, headers: {}, body: null })
    expect(noContent()).not.toBe(noContent())
  })
})

test('the headers of a created delivery leave out those that describe the original request, its bytes or its sender', () => {
  const signatures = { 'X-Hub-Signature': 'sha1=0', 'X-Hub-Signature-256': 'sha256=0' }
  const credentials = { Authorization: 'Bearer 0', 'Proxy-Authorization': 'Basic 0', Cookie: 'a=0' }
  const bytes = { 'Content-Type': 'text/plain', 'Content-Length': '7', 'Content-Encoding': 'gzip' }
  const connection = { 'Transfer-Encoding': 'chunked', Connection: 'close', Expect: '100-continue' }
  const kept = { 'User-Agent': 'GitHub-Hookshot/1', 'X-GitHub-Hook-ID': '7', 'X-GitHub-Event': 'star' }
  const original = { ...signatures, ...credentials, ...bytes, ...connection, ...kept }
  expect(createdHeaders(original, 'push', 'g')).toEqual({
    ...{ 'user-agent': 'GitHub-Hookshot/1', 'x-github-hook-id': '7' },
    ...{ 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': 'g' },
  })
})
