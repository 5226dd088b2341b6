#!/usr/bin/env node
import { nodeVersionProblem } from '../runtime/node-version.ts'

const problem = nodeVersionProblem()
if (problem === undefined) {
  const { run } = await import('./program.ts') // here, because an older Node.js cannot import all of it
  await run(process.argv.slice(2))
} else {
  console.error(problem)
  process.exitCode = 1
}
