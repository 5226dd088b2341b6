/** Checks the workflows of GitHub Actions. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { lintWorkflow } from './lint-workflow.ts'

const files = globSync(join(import.meta.dirname, '../.github/workflows/*.yml')).toSorted()
const errors = await Promise.all(files.map((file) => lintWorkflow(basename(file), readFileSync(file, 'utf8'))))
for (const error of errors.flat()) console.error(error)
if (errors.flat().length > 0) process.exitCode = 1
console.log(`workflows: ${files.length}, ${errors.flat().length} errors`)
