import { describe, expect, test } from 'vitest'
import { parseArguments, parseUsage } from '../../src/commands/usage.ts'

const argumentsOf = (usage: string, line: string) => parseArguments(parseUsage(usage), line)

describe('a usage text', () => {
  test.each([
    ['deploy', 'must begin with a slash'],
    ['/Deploy', 'must begin with a slash, a lower-case letter'],
    ['/dеploy', 'must begin with a slash'], // cspell:disable-line: the first e is Cyrillic
    ['/deploy environment', '"environment" must be <name>, [name]'],
    ['/deploy <a> [a]', 'two arguments have the name "a"'],
    ['/deploy [a] <b>', '<b> comes after an optional argument'],
    ['/deploy <a...> [b]', '[b] comes after a..., which takes all words'],
    ['/deploy --force=x', '"--force=x" must be'],
  ])('%s is rejected', (usage, message) => {
    expect(() => parseUsage(usage)).toThrow(TypeError)
    expect(() => parseUsage(usage)).toThrow(message)
  })
})

describe('the arguments of a line', () => {
  const deploy = '/deploy <environment> [version] --force --ref=<name>'

  test.each([
    ['prod', { environment: 'prod', version: undefined, force: false, ref: undefined }],
    ['  prod \t v1 ', { environment: 'prod', version: 'v1', force: false, ref: undefined }],
    ['--force prod --ref=main', { environment: 'prod', version: undefined, force: true, ref: 'main' }],
    ['"a b" --ref="c d"', { environment: 'a b', version: undefined, force: false, ref: 'c d' }],
    ['"--force" -- --ref', { environment: '--force', version: '--ref', force: false, ref: undefined }],
    ['x"a b"y', { environment: 'xa by', version: undefined, force: false, ref: undefined }],
    ['"" -x', { environment: '', version: '-x', force: false, ref: undefined }],
  ])('%s', (line, expected) => {
    expect(argumentsOf(deploy, line)).toEqual(expected)
  })

  test('a list takes all further words', () => {
    expect(argumentsOf('/label <first> [more...]', 'a b c')).toEqual({ first: 'a', more: ['b', 'c'] })
    expect(argumentsOf('/label [all...]', '')).toEqual({ all: [] })
    expect(() => argumentsOf('/label <all...>', '')).toThrow('the argument `all` is missing')
  })

  test.each([
    ['', 'the argument `environment` is missing'],
    ['prod v1 more', 'too many arguments'],
    ['prod --unknown', 'an unknown flag'],
    ['prod --constructor', 'an unknown flag'],
    ['prod --force=yes', 'takes no value'],
    ['prod --ref', '`--ref=…`'],
    ['prod --ref=', '`--ref=…`'],
    ['prod "v1', 'an unmatched quotation mark'],
  ])('%s is wrong', (line, message) => {
    expect(() => argumentsOf(deploy, line)).toThrow(message)
  })

  test('an error shows no text of the author', () => {
    for (const line of ['prod --@acme/all', 'a b @acme/all', 'a --force=@acme/all']) {
      expect(() => argumentsOf(deploy, line)).toThrow(/^(?!.*@acme).*$/)
    }
  })
})
