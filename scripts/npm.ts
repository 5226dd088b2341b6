import { execFileSync } from 'node:child_process'

/** Runs npm, and returns its output. On Windows, npm is a batch file, which only a shell can run. */
export function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
}
