/** Runs `npm run demo`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const program = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url))

/** Runs the demo with its own temporary folder. @param stopAt The output after which the test presses Ctrl-C. */
export async function runDemo({ args = [], stopAt }: { args?: readonly string[]; stopAt?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o711) // PostgreSQL, which does not run as root, must enter it
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, TMPDIR: folder } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stderr.on('data', (data) => (output += data))
  child.stdout.on('data', (data) => {
    const before = output
    output += data
    if (stopAt && output.includes(stopAt) && !before.includes(stopAt)) child.kill('SIGINT')
  })
  const [code] = await once(child, 'close')
  const [, url = ''] = /listens at (\S+);/.exec(output) ?? []
  return { code, output, url, left: readdirSync(folder) }
}
