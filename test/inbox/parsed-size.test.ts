import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateParsedSize, parsedSizeLimit } from '../../src/inbox/parsed-size.ts'
import { payloadsByEvent } from '../../src/samples/index.ts'
import { hostileBodies } from './hostile-bodies.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const estimate = (text: string) => estimateParsedSize(bytes(text), 'json')

describe('the estimated size of a parsed body', () => {
  const program = fileURLToPath(new URL('./parsed-heap.ts', import.meta.url))
  const args = ['--expose-gc', '--single-threaded-gc', program]
  const needs: Record<string, number> = JSON.parse(execFileSync(process.execPath, args).toString())

  test.each(Object.entries(hostileBodies))('is no less than what V8 allocates for %s', (name, text) => {
    const need = needs[name] as number
    expect(estimate(text)).toBeGreaterThan(need * 0.98) // V8's own overhead varies
    expect(estimate(text)).toBeLessThan(need * 8)
  })

  test('is no less than the allocation of the body with the largest known ratio', () => {
    expect(estimate(list('{"34":0}')) / list('{"34":0}').length).toBeGreaterThan(40)
  })

  test('is less than ten times the size of a real payload', () => {
    for (const payload of [...payloadsByEvent().values()].flat()) {
      const text = JSON.stringify(payload)
      expect(estimate(text) / text.length).toBeLessThan(10)
    }
  })

  test('counts an escape in a form as the character that it encodes', () => {
    const text = list('{"34":0}')
    const form = bytes(`payload=${encodeURIComponent(text)}`)
    expect(estimateParsedSize(form, 'form')).toBeGreaterThan(estimate(text))
    expect(estimateParsedSize(form)).toBe(estimateParsedSize(form, 'form'))
    expect(estimateParsedSize(bytes(text))).toBeGreaterThan(estimate(text))
  })

  test('does not count escapes in the URLs of a payload', () => {
    expect(estimate('{"url":"https://x.example/%7B%7B%7B%7B"}')).toBe(
      estimate('{"url":"https://x.example/-7B-7B-7B-7B"}'),
    )
  })

  test('does not depend on the alignment of the body', () => {
    const names = fc.constantFrom('34', '7', '\\u0033', 'a', 'a1', '1a', '')
    const values = fc.constantFrom('0', '{}', '"9":', '"34"', '[1,2]', '""')
    const gaps = fc.constantFrom('', ' ', '\n')
    const members = fc.array(fc.tuple(names, gaps, values).map(([name, gap, value]) => `"${name}"${gap}:${value}`))
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 7 }), (list, offset) => {
        const body = bytes(list.join(','))
        const moved = new Uint8Array(body.length + offset)
        moved.set(body, offset)
        expect(estimateParsedSize(moved.subarray(offset), 'json')).toBe(estimateParsedSize(body, 'json'))
      }),
    )
  })

  test.each(['', '"', '"34"', '34":', '{', '%', '%7', '"\\'])('is a number for the fragment %j', (text) => {
    expect(estimateParsedSize(bytes(text))).toBeGreaterThanOrEqual(text.length)
  })
})

const list = (item: string) => `[${Array(1000).fill(item).join(',')}]`

const MiB = 1024 * 1024

test.each([
  [512 * MiB, 128 * MiB],
  [4096 * MiB, 256 * MiB],
])('with a heap of %i bytes, a parsed payload may take %i', (heap, limit) => {
  expect(parsedSizeLimit(heap)).toBe(limit)
})
