/** Lets `npx hookserver` run what was built, however often: npm sees to it only the first time. Runs after `tsc`. */

import { chmodSync, statSync } from 'node:fs'

const program = 'dist/cli/main.js'
const executable = 0o111
const { mode } = statSync(program)
// Not where it is so already: a server that watches the file would start anew.
if ((mode & executable) !== executable) chmodSync(program, mode | executable)
