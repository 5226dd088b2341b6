import { describe, expect, test } from 'vitest'
import { contentLength, readHeaders } from '../../src/receiver/payload.ts'
import { refusalOf } from './fixtures.ts'

const right = {
  'x-github-event': 'issues',
  'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  'content-type': 'application/json',
}

describe('the headers of a delivery', () => {
  test('name its event, its GUID and its form', () => {
    const { 'x-github-event': event, 'x-github-delivery': guid } = right
    expect(readHeaders(right)).toEqual({ event, guid, form: 'json' })
    const form = { ...right, 'content-type': 'application/x-www-form-urlencoded' }
    expect(readHeaders(form)).toEqual({ event, guid, form: 'form' })
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
      const refusal = await refusalOf(() => readHeaders({ ...right, [name]: value }))
      expect(refusal).toMatchObject({ status, code, message })
    }
  })

  test('are looked at in the ancestor’s order: event, delivery, content type', async () => {
    expect((await refusalOf(() => readHeaders({}))).code).toBe('missing_event')
    expect((await refusalOf(() => readHeaders({ 'x-github-event': 'ping' }))).code).toBe('missing_delivery')
  })

  test('may name any event', () => {
    for (const event of ['constructor', '__proto__', '*', 'error', 'an_event_of_tomorrow']) {
      expect(readHeaders({ ...right, 'x-github-event': event }).event).toBe(event)
    }
  })
})

describe('Content-Length', () => {
  test.each([
    ['0', 0],
    ['26214400', 26_214_400],
    ['007', 7],
    ['9'.repeat(400), Number.POSITIVE_INFINITY],
  ])('is a number of bytes: %s', (text, bytes) => expect(contentLength({ 'content-length': text })).toBe(bytes))

  test.each([undefined, '', ' ', '-1', '+1', '1.5', '1e3', '0x10', '5, 5', '5 ', 'NaN', '５'])(
    'counts as not given if it is none: %j',
    (text) => expect(contentLength({ 'content-length': text })).toBeUndefined(),
  )
})
