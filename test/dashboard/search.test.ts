import { afterEach, describe, expect, test, vi } from 'vitest'
import { normalized, serverSearchOf, timestampOf, valueIn, withValues } from '../../dashboard/deliveries/search.ts'
import { conditionOf } from '../../dashboard/ui/search.ts'

const now = new Date(2026, 0, 31, 15, 30).getTime()
const localTime = (...parts: [number, number, number, number?, number?]) => new Date(...parts).getTime()

describe('a time', () => {
  afterEach(() => vi.unstubAllEnvs())

  test.each([
    ['today', localTime(2026, 0, 31)],
    ['yesterday', localTime(2026, 0, 30)],
    ['2026-01-02', localTime(2026, 0, 2)],
    ['2026-01-02T03:04', localTime(2026, 0, 2, 3, 4)],
  ])("%s is in the user's time zone", (text, expected) => {
    expect(timestampOf(text, now, false)).toBe(expected)
  })

  test.each([
    ['today', Date.UTC(2026, 0, 31)],
    ['yesterday', Date.UTC(2026, 0, 30)],
    ['2026-01-02', Date.UTC(2026, 0, 2)],
    ['2026-01-02T03:04', Date.UTC(2026, 0, 2, 3, 4)],
  ])('%s is in UTC if the user chose it', (text, expected) => {
    vi.stubEnv('TZ', 'Asia/Tokyo')
    expect(timestampOf(text, Date.UTC(2026, 0, 31, 20), true)).toBe(expected)
  })

  test.each([
    '',
    '2h',
    '99999d',
    'teatime',
    '2 h',
    '2026-13-1',
    '2026-13-01',
    '2026-02-31',
    '2026-01-01T25:00',
    '2026-01-02T03:04Z',
    '1769774400000',
  ])('%s is sent to the server unchanged', (text) => {
    expect(timestampOf(text, now, false)).toBeUndefined()
    expect(serverSearchOf(`since:${text}`, now, false)).toEqual({ q: `since:${text}` })
  })
})

test('quotes protect a comma and a * in a literal value', () => {
  expect(conditionOf('handler', 'a, b')).toBe('handler:"a, b"')
  expect(conditionOf('ref', 'x*')).toBe('ref:"x*"')
})

describe('the text', () => {
  test('is split into times and other conditions', () => {
    const asked = serverSearchOf('state:dead since:yesterday "two words" until:today', now, false)
    expect(asked).toEqual({
      q: 'state:dead "two words"',
      since: localTime(2026, 0, 30),
      until: localTime(2026, 0, 31),
    })
  })

  test('returns the value of a name or its alias', () => {
    const text = 'repository:acme/shop title:"a b" words'
    expect(valueIn(text, 'repo')).toBe('acme/shop')
    expect(valueIn(text, 'title')).toBe('a b')
    expect(valueIn(text, 'words')).toBe('')
    expect(valueIn('"repo:x"', 'repo')).toBe('')
    expect(valueIn('constructor:x', 'repo')).toBe('')
  })

  test('replaces a value and keeps the other conditions', () => {
    expect(withValues('repository:acme/shop words state:dead', { repo: 'acme/app' })).toBe(
      'repo:acme/app words state:dead',
    )
    expect(withValues('state:dead words', { state: '' })).toBe('words')
    expect(withValues('', { sender: 'two words' })).toBe('sender:"two words"')
    expect(withValues('-state:done', { state: 'dead,retrying', repo: 'acme/*' })).toBe(
      'state:dead,retrying repo:acme/* -state:done',
    )
    expect(withValues('constructor:x', { repo: 'acme/app' })).toBe('repo:acme/app constructor:x')
  })

  test.each([
    ['repo:a/b state:dead or state:retrying sender:bob', 'state:pending repo:a/b sender:bob'],
    ['event:push -sender:bob state:dead or state:retrying', 'state:pending event:push -sender:bob'],
    ['repo:a/b state:dead or event:push sender:bob', 'state:pending repo:a/b state:dead or event:push sender:bob'],
    ['state:dead state:done repo:a/b OR repo:c/d', 'state:pending repo:a/b or repo:c/d'],
    ['state:dead or state:done or', 'state:pending'],
    ['or sender:bob', 'state:pending sender:bob'],
    ['"or" sender:bob', 'state:pending "or" sender:bob'],
  ])('keeps the other conditions of %s, and joins no other terms by or', (text, expected) => {
    expect(withValues(text, { state: 'pending' })).toBe(expected)
  })

  test('returns the values that or joins, and of a repeated name the last one', () => {
    expect(valueIn('repo:a/b state:dead or state:retrying', 'state')).toBe('dead,retrying')
    expect(valueIn('state:dead or event:push', 'state')).toBe('')
    expect(valueIn('state:dead repo:a/b state:done', 'state')).toBe('done')
  })

  test('has the last time of each name', () => {
    const today = localTime(2026, 0, 31)
    expect(serverSearchOf('since:2h since:today words', now, false)).toEqual({ q: 'words', since: today })
    expect(serverSearchOf('since:today since:2h words', now, false)).toEqual({ q: 'since:2h words' })
    expect(serverSearchOf('since:2h until:today', now, false)).toEqual({ q: 'since:2h', until: today })
  })

  test('keeps a time beside or, which the server rejects', () => {
    const text = 'state:dead since:today or words or'
    expect(serverSearchOf(text, now, false)).toEqual({ q: text })
  })

  test('with control characters in a value stays one condition', () => {
    for (const value of ['a"b', 'a\nb', '" state:done "', '"']) {
      const text = withValues('', { sender: value })
      expect(serverSearchOf(text, now, false)).toEqual({ q: text })
      expect([valueIn(text, 'state'), text]).toEqual(['', normalized(text)])
    }
  })

  test('is normalized to single spaces outside of quotes', () => {
    expect(normalized('  a   "b  c"  d:e ')).toBe('a "b  c" d:e')
  })
})
