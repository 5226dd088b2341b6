import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerError, cutMember, exactJson, parseAnswer } from '../../src/github/answer.ts'
import { anyString } from '../any-string.ts'

describe('an answer of GitHub', () => {
  test('keeps every digit of an id, as text', () => {
    const text = '{"id":3804004623172239366,"hook_id":7,"installation_id":null,"number":7,"node":{"repository_id":0}}'
    expect(parseAnswer(text)).toEqual({
      ...{ id: '3804004623172239366', hook_id: '7', installation_id: null, number: 7 },
      node: { repository_id: '0' },
    })
  })

  test('keeps every digit of an integer that a number would round', () => {
    expect(parseAnswer('[9007199254740993,9007199254740991,-9007199254740993,1.5]')).toEqual([
      ...['9007199254740993', 9007199254740991, '-9007199254740993'],
      1.5,
    ])
  })

  test.each(['', '<html>', '{"id":1', '[1,]'])('that is not JSON is rejected: %j', (text) => {
    expect(() => parseAnswer(text)).toThrow(AnswerError)
  })
})

describe('an answer that another program has parsed', () => {
  test('is written exactly with BigInts', () => {
    expect(exactJson([{ id: 3804004623172239366n, number: 7, duration: 0.5 }])).toBe(
      '[{"id":3804004623172239366,"number":7,"duration":0.5}]',
    )
  })

  test('is rejected if that program rounded an integer, and the error names the cure', () => {
    const rounded = JSON.parse('[{"id":3804004623172239366}]')
    expect(() => exactJson(rounded)).toThrow(
      /rounded an integer .*\. Use the Octokit of the package "octokit" 5\.0\.0 or later/,
    )
  })
})

describe('a member that is cut out', () => {
  /** JSON of any value, with numbers that JavaScript rounds or writes otherwise. */
  const number = fc.oneof(
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
    fc.constantFrom('-0', '1.0', '1e400', '1E-7', '0.1000', '12345678901234567890.5'),
  )
  const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ')
  const string = anyString().map((text) => JSON.stringify(text))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      number,
      string,
      fc.constantFrom('true', 'false', 'null'),
      tie('list'),
      tie('object'),
    ),
    list: fc
      .tuple(space, fc.array(tie('value') as fc.Arbitrary<string>))
      .map(([gap, all]) => `[${gap}${all.join(`${gap},`)}]`),
    object: members(tie('value') as fc.Arbitrary<string>),
  })) as { value: fc.Arbitrary<string> }

  function members(of: fc.Arbitrary<string>): fc.Arbitrary<string> {
    return fc
      .tuple(space, fc.array(fc.tuple(string, of)))
      .map(
        ([gap, all]) => `{${gap}${all.map(([name, one]) => `${name}${gap}:${gap}${one}`).join(`${gap},${gap}`)}${gap}}`,
      )
  }

  test('has the same text as in the answer, for any JSON', () => {
    fc.assert(
      fc.property(members(value), value, space, (payload, other, gap) => {
        const text = `{"url":${other},${gap}"request"${gap}:${gap}{"headers":${other},"payload":${gap}${payload}${gap}},"id":1}`
        const cut = cutMember(text, ['request', 'payload'])
        expect(cut?.member).toBe(payload)
        expect(JSON.parse(cut?.rest ?? '')).toMatchObject({ request: { payload: null }, id: 1 })
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['twice: the last counts', '{"a":1,"a":{"b":2}}', '{"b":2}'],
    ['with an escaped name', '{"\\u0061":[1, 2]}', '[1, 2]'],
    ['behind a name that ends with it', '{"x\\"a":1,"a":"\\\\"}', '"\\\\"'],
  ])('may occur %s', (_what, json, member) => {
    expect(cutMember(json, ['a'])?.member).toBe(member)
  })

  test.each(['', '[]', 'null', '{}', '{"b":1}', '{"a"', '{"', '{"a":'])('may be missing: %j', (json) => {
    expect(() => parseAnswer(cutMember(json, ['a', 'b'])?.rest ?? '')).toThrow(AnswerError)
  })

  test('of 25 MiB is found although it has millions of quotes and levels', () => {
    const payload = `{"a":${'['.repeat(2 ** 22)}${']'.repeat(2 ** 22)},"b":"${'\\"'.repeat(2 ** 23)}"}`
    expect(cutMember(`{"request":{"payload":${payload}}}`, ['request', 'payload'])?.member === payload).toBe(true)
  })
})
