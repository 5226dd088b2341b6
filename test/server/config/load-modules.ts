/** A program that loads `hooks.ts` or `hooks.js` in each folder on its command line, and prints the settings or the errors as JSON. */
import { existsSync } from 'node:fs'
import { loadModule } from '../../../src/server/config/hooks-module.ts'
import type { ModuleError } from '../../../src/server/config/module-error.ts'

const results: unknown[] = []
for (const folder of process.argv.slice(2)) {
  process.chdir(folder)
  const result = loadModule(existsSync('hooks.ts') ? 'hooks.ts' : 'hooks.js').then(
    ({ config }) => ({ config }),
    ({ message, trace }: ModuleError) => ({ message, trace }),
  )
  results.push(await result)
}
console.log(JSON.stringify(results))
