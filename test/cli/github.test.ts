/** `hookserver github`, in the process of the test. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { stop } from '../adapters/host.ts'
import { hookserver, interruptHere, runHere } from './command.ts'

/** Starts the command, and waits for its first line. The test must call `end`. */
async function start(...args: string[]) {
  const output = { stdout: '', stderr: '' }
  const { promise: printed, resolve } = Promise.withResolvers<void>()
  const ended = runHere(
    ['github', ...args],
    {},
    {
      cwd: tmpdir(),
      onOutput(chunk, stream) {
        output[stream] += chunk
        if (stream === 'stdout') resolve()
      },
    },
  )
  onTestFinished(async () => {
    interruptHere()
    await ended
  })
  await Promise.race([printed, ended])
  return output
}

const addressIn = (text: string): string => /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? ''

test('starts a GitHub with a repository, and prints what to do next', async () => {
  const { stdout } = await start('--port', '0')
  const address = addressIn(stdout)
  expect(stdout).toContain(`npx hookserver app create --github ${address} --org acme`)
  expect(stdout).toContain(`${address}/acme/shop/issues`)
  expect(stdout).toContain('in memory only')
  const page = await fetch(`${address}/acme/shop`)
  expect(await page.text()).toContain('README.md')
})

test('creates the named repositories, and accepts a token', async () => {
  const flags = ['--repository', 'octocat/one', '--repository', 'acme/two', '--token', 'try-it']
  const { stdout } = await start('--port', '0', ...flags, '--json')
  const { url, apiUrl, repositories, next } = JSON.parse(stdout)
  expect(repositories).toEqual(['octocat/one', 'acme/two'])
  expect(next[0]).not.toContain('--org') // the first repository belongs to the user
  const ask = async (path: string) => {
    const response = await fetch(apiUrl + path, { headers: { authorization: 'Bearer try-it' } })
    return (await response.json()) as { permission: string; hooks: string[] }
  }
  expect((await ask('/repos/acme/two/collaborators/octocat/permission')).permission).toBe('admin')
  expect((await ask('/meta')).hooks).toContain('127.0.0.0/8')
  expect(addressIn(url)).toBe(url)
})

test('uses a free port if another program uses 3003', async () => {
  const other = createServer().listen(3003, '127.0.0.1')
  await Promise.race([once(other, 'listening'), once(other, 'error')]) // in both cases the port is in use
  if (other.listening) onTestFinished(() => stop(other))
  const { stdout, stderr } = await start()
  expect(stderr).toBe('hookserver: Another program uses port 3003, so the local GitHub uses a free one\n')
  expect(addressIn(stdout)).not.toContain(':3003')
})

test('rejects a port that the user has chosen and another program uses', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => stop(other))
  const { port } = other.address() as { port: number }
  expect(await hookserver(['github', '--port', String(port)])).toMatchObject({
    code: 1,
    stderr: `hookserver: Cannot listen on port ${port}: another program uses it. Choose another one with --port\n`,
  })
})

test.each([
  [['--port', '65536'], /--port: expected a whole number from 0 to 65535/],
  [['--repository', 'shop'], /--repository: expected owner\/name, such as acme\/shop/],
])('rejects %j', async (flags, message) => {
  const { code, stderr } = await hookserver(['github', ...flags])
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
})
