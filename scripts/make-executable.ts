/** Makes the built command executable, because npm does so only at installation. Runs after `tsc`. */

import { chmodSync, statSync } from 'node:fs'

const program = 'dist/cli/main.js'
const executable = 0o111
const { mode } = statSync(program)
// Only if needed: a change would restart a server that watches the file.
if ((mode & executable) !== executable) chmodSync(program, mode | executable)
