import { describe, expect, test } from 'vitest'
import { Evidence, writingsOfDigest } from './evidence.ts'

const secret = 'a secret with ä+/ "quotes"'
const bytes = Buffer.from(secret)

describe('a secret is found', () => {
  test.each([
    ['unchanged', secret],
    ['in JSON', JSON.stringify({ secret })],
    ['in a path', `/hooks/${encodeURIComponent(secret)}`],
    ['in a form', new URLSearchParams({ secret }).toString()],
    ['in hexadecimal', bytes.toString('hex')],
    ['in upper-case hexadecimal', bytes.toString('hex').toUpperCase()],
    ['in base64', bytes.toString('base64')],
    ['in base64, after one byte', Buffer.from(`:${secret}:`).toString('base64')],
    ['in base64, after two bytes', Buffer.from(`::${secret}`).toString('base64')],
    ['in base64 for URLs', Buffer.from(`user:${secret}`).toString('base64url')],
    ['among bytes', Buffer.concat([Buffer.from([0, 255]), bytes, Buffer.from([0])])],
  ])('%s', (_how, kept) => {
    const evidence = new Evidence()
    evidence.secret('it', secret)
    evidence.keep('somewhere', kept)
    evidence.keep('elsewhere', 'nothing')
    expect(evidence.findings()).toEqual(['it in somewhere'])
  })

  test('if it is a signature, also as its bytes', () => {
    const digest = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
    const raw = Buffer.from(digest, 'hex')
    for (const kept of [raw, Buffer.from(raw.toString('base64')), Buffer.from(`sha256=${digest}`)]) {
      expect(writingsOfDigest(digest).some((one) => kept.includes(one))).toBe(true)
    }
  })
})
