import { describe, expect, test } from 'vitest'
import { maxWrong, WrongTokens } from '../../../src/server/auth/wrong-tokens.ts'

const minute = 60_000

/** Adds the maximum number of wrong tokens from an address. */
function exhausted(address: string, now = 0, tokens = new WrongTokens()): WrongTokens {
  for (let index = 0; index < maxWrong; index++) {
    expect(tokens.wait(address, now)).toBe(0)
    tokens.add(address, `wrong ${index}`, now)
  }
  return tokens
}

describe('wrong tokens', () => {
  test('make an address wait until a minute after the first one', () => {
    const tokens = exhausted('192.0.2.1', 1000)
    expect(tokens.wait('192.0.2.1', 1000)).toBe(minute)
    expect(tokens.wait('192.0.2.1', 31_000)).toBe(minute / 2)
    expect(tokens.wait('192.0.2.1', 1000 + minute)).toBe(0)
    exhausted('192.0.2.1', 1000 + minute, tokens)
    expect(tokens.wait('192.0.2.1', 1000 + minute)).toBe(minute)
  })

  test('do not affect other addresses', () => {
    expect(exhausted('192.0.2.1').wait('192.0.2.2', 0)).toBe(0)
  })

  test('count once if they are the same', () => {
    const tokens = new WrongTokens()
    for (let index = 0; index < 1000; index++) tokens.add('192.0.2.1', 'out of date', 0)
    expect(tokens.wait('192.0.2.1', 0)).toBe(0)
  })

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['no address', 'no address', true],
    ['', '::1', false],
  ])('from %s and %s share a limit: %s', (one, other, same) => {
    expect(exhausted(one).wait(other, 0) > 0).toBe(same)
  })

  test('use a bounded amount of memory', () => {
    const tokens = exhausted('192.0.2.1')
    for (let index = 0; index < 5000; index++) tokens.add(`10.0.${index >> 8}.${index & 255}`, 'wrong', 1)
    expect(tokens.size).toBe(1000)
    tokens.add('192.0.2.1', 'wrong', minute + 1)
    expect(tokens.size).toBe(1) // expired addresses are removed
  })
})
