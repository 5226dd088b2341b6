/**
 * Removes the C headers of the `node` package: 66 MB that only native add-ons need, and the repository compiles none.
 * Runs after `npm ci`, as part of `prepare`.
 */
import { globSync, rmSync } from 'node:fs'

for (const headers of globSync('node_modules/node/node_modules/*/include')) rmSync(headers, { recursive: true })
