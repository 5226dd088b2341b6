/** A program that loads `hooks.ts` in each folder on its command line, and prints the errors as JSON. */
import { loadModule } from '../../../src/server/config/hooks-module.ts'
import type { ModuleError } from '../../../src/server/config/module-error.ts'

const failures: unknown[] = []
for (const folder of process.argv.slice(2)) {
  process.chdir(folder)
  failures.push(await loadModule('hooks.ts').catch(({ message, trace }: ModuleError) => ({ message, trace })))
}
console.log(JSON.stringify(failures))
