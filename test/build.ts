/** Builds `dist` before the tests if a source file is newer, because tests run the built command line. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The built command line. It starts in half the time of `src/cli/main.ts`, whose types Node.js has to strip. */
export const main: string = join(root, 'dist/cli/main.js')

export function setup(): void {
  const last = join(root, 'dist/dashboard/index.html')
  const built = existsSync(last) ? statSync(last).mtimeMs : 0
  const sources = globSync(['{src,dashboard}/**/*.{ts,tsx,css,html,sql}', 'scripts/*.ts', 'package.json'], {
    cwd: root,
  })
  if (sources.every((file) => statSync(join(root, file)).mtimeMs <= built)) return
  const { NODE_ENV: _, ...env } = process.env // Vitest's value would add warnings for developers to the dashboard
  execFileSync('npm', ['run', 'build', '--silent'], {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}
