/** Runs `hookserver` as npm does: in a shell, which does not pass signals on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'
import { project, withSecret } from './service.ts'

/** Starts a command in a shell, and waits for a text in its output. */
async function startInShell(args: readonly string[], awaited: string) {
  const command = [process.execPath, main, ...args, '--port', '0']
  const shell = spawn('sh', ['-c', '"$0" "$@" 2>&1; exit $?', ...command], {
    cwd: project({ 'hooks.ts': "import { Hooks } from 'hookserver'\nexport default new Hooks()" }),
    env: { PATH: process.env.PATH, ...compileCache, ...withSecret, npm_lifecycle_event: 'start' },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => endGroup(shell))
  const output = text(shell.stdout)
  await new Promise((resolve) => shell.stdout.on('data', (chunk) => `${chunk}`.includes(awaited) && resolve(0)))
  return { shell, output }
}

/** Ends the shell, and the server if it still runs. */
function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid as number), 'SIGKILL')
  } catch {
    // all processes of the group have ended
  }
}

test.each([[[]], [['hooks.ts', '--dev']]])('a server stops when npm has ended its shell: %j', async (args) => {
  const { shell, output } = await startInShell(['serve', ...args, '--admin-port', '0'], 'Admin listener')
  shell.kill('SIGTERM')
  expect(await output).toMatch(/"Stopping: /) // the output ends when all processes have ended
})

test('a local GitHub stops when npm has ended its shell', async () => {
  const { shell, output } = await startInShell(['github'], 'Local GitHub')
  shell.kill('SIGTERM')
  expect(await output).toContain('Ctrl-C')
})
