import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/cli/flags.ts'
import { checkPackageName } from '../../../src/cli/init/package-name.ts'

describe('the name of the package', () => {
  test.each(['hooks', 'my-hooks_2.0', '@acme/hooks', '-', 'a'.repeat(214)])('%s is allowed', (name) => {
    expect(() => checkPackageName(name, 'handler')).not.toThrow()
  })

  test.each([
    ['My Hooks', /"My Hooks" cannot be the name of the package: npm allows lower-case letters/],
    ['.hooks', /neither "\." nor "_" at the beginning/],
    ['_hooks', /neither "\." nor "_" at the beginning/],
    ['größer', /lower-case letters/],
    ['', /lower-case letters/],
    ['a/b', /lower-case letters/],
    ['a'.repeat(215), /npm allows 214 characters/],
    ['node_modules', /npm reserves this name/],
    ['http', /npm reserves this name/],
    ['hookserver', /the project depends on a package of this name\. Pass another with --name/],
  ])('%j is not allowed', (name, message) => {
    const check = () => checkPackageName(name, 'handler')
    expect(check).toThrow(UsageError)
    expect(check).toThrow(message)
  })

  test('cannot be the name of a package that the template needs', () => {
    expect(() => checkPackageName('octokit', 'handler')).not.toThrow()
    expect(() => checkPackageName('octokit', 'bot')).toThrow('depends on a package of this name')
  })
})
