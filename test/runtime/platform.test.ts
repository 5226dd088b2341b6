import { describe, expect, test } from 'vitest'
import { isMissingPackage } from '../../src/runtime/platform.ts'

/** The error of Yarn's Plug'n'Play. Its properties are not enumerable. */
const plugAndPlay = (pnpCode: string, code: string): Error =>
  Object.defineProperties(new Error('hookserver tried to access octokit'), {
    code: { value: code },
    pnpCode: { value: pnpCode },
    data: { value: { request: 'octokit' } },
  })

const coded = (code: string): Error => Object.assign(new Error('of an import'), { code })

describe('a failed import', () => {
  test.each([
    ['Node.js, Bun and Deno', coded('ERR_MODULE_NOT_FOUND')],
    ['require()', coded('MODULE_NOT_FOUND')],
    ["Plug'n'Play, for an optional peer dependency", plugAndPlay('MISSING_PEER_DEPENDENCY', 'MODULE_NOT_FOUND')],
    ["Plug'n'Play, for any other package", plugAndPlay('UNDECLARED_DEPENDENCY', 'MODULE_NOT_FOUND')],
    ['Workers', new Error('No such module "octokit".')],
  ])('of a missing package, in %s', (_where, error) => {
    expect(isMissingPackage(error)).toBe(true)
  })

  test.each([
    ['a syntax error in the package', new SyntaxError('Unexpected token')],
    ['an invalid entry point', coded('ERR_PACKAGE_PATH_NOT_EXPORTED')],
    ["a package that Plug'n'Play cannot read", plugAndPlay('INTERNAL', 'INTERNAL')],
    ['a missing file', coded('ENOENT')],
  ])('because of %s', (_cause, error) => {
    expect(isMissingPackage(error)).toBe(false)
  })

  test('of a package that does not exist, in this runtime', async () => {
    const name = 'a-package-that-does-not-exist'
    await expect(import(name)).rejects.toSatisfy(isMissingPackage)
  })
})
