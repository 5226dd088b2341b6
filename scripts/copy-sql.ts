/** Copies the `.sql` files of `src` to `dist`, since `tsc` compiles only TypeScript; runs after `tsc`. */
import { cpSync, globSync } from 'node:fs'

for (const file of globSync('src/**/*.sql')) cpSync(file, file.replace(/^src/, 'dist'))
