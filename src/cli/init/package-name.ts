/** The rules of npm for the name of a package. https://docs.npmjs.com/cli/configuring-npm/package-json#name */
import { builtinModules } from 'node:module'
import { UsageError } from '../flags.ts'
import { packagesOf, type TemplateName } from './templates.ts'

const maxLength = 214
const forbidden = new Set(['node_modules', 'favicon.ico', ...builtinModules])

/** @throws {UsageError} if npm does not accept the name, or the project depends on a package of this name. */
export function checkPackageName(name: string, template: TemplateName): void {
  const problem = problemOf(name, template)
  if (problem === undefined) return
  throw new UsageError(
    `${JSON.stringify(name)} cannot be the name of the package: ${problem}. Pass another with --name`,
  )
}

function problemOf(name: string, template: TemplateName): string | undefined {
  if (!/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name)) {
    return 'npm allows lower-case letters, digits, "-", "_", "." and "~", and neither "." nor "_" at the beginning'
  }
  if (name.length > maxLength) return `npm allows ${maxLength} characters`
  if (forbidden.has(name)) return 'npm reserves this name'
  if (packagesOf(template).includes(name)) return 'the project depends on a package of this name'
  return undefined
}
