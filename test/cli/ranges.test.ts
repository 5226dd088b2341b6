import { expect, onTestFinished, test } from 'vitest'
import { LocalGitHub } from '../../src/testing/index.ts'
import { hookserver } from './command.ts'

const hooks = ['192.0.2.0/24', '2001:db8::/32', 'none of them']

async function scene(options: Parameters<typeof LocalGitHub.start>[0] = {}) {
  const github = await LocalGitHub.start({ hooks, ...options })
  onTestFinished(() => github.close())
  return { github, run: (...args: string[]) => hookserver(['ranges', ...args, '--api-url', github.url]) }
}

test('lists the ranges of GitHub', async () => {
  const { run } = await scene()
  expect(await run()).toMatchObject({ code: 0, stdout: `${hooks.join('\n')}\n`, stderr: '' })
  expect(JSON.parse((await run('--json')).stdout)).toEqual(hooks)
})

test('shows whether an address is in one of the ranges', async () => {
  const { run } = await scene()
  expect(await run('192.0.2.9')).toMatchObject({ code: 0, stdout: "192.0.2.9 is in GitHub's range 192.0.2.0/24\n" })
  expect(await run('2001:db8::9')).toMatchObject({ code: 0 })
  expect(await run('192.0.3.9')).toMatchObject({ code: 1, stdout: "192.0.3.9 is not in GitHub's ranges\n" })
  const [inside, outside] = [await run('::ffff:192.0.2.9', '--json'), await run('192.0.3.9', '--json')]
  expect(JSON.parse(inside.stdout)).toEqual({ address: '::ffff:192.0.2.9', range: '192.0.2.0/24' })
  expect([outside.code, JSON.parse(outside.stdout)]).toEqual([1, { address: '192.0.3.9', range: null }])
})

test('rejects an invalid address without a request', async () => {
  const { github, run } = await scene()
  expect(await run('192.0.2')).toMatchObject({ code: 2, stderr: expect.stringContaining('got "192.0.2"') })
  expect(github.requests).toEqual([])
  const { code, stderr } = await hookserver(['ranges', '--api-url', 'github'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('--api-url: expected a URL that begins with http')])
})

test('uses the token, and no token if GitHub rejects it', async () => {
  const { github } = await scene({ token: 'right' })
  const env = { HOOKSERVER_API_URL: github.url }
  expect(await hookserver(['ranges'], { ...env, HOOKSERVER_GITHUB_TOKEN: 'right' })).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(github.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer right'])
  const { code, stderr } = await hookserver(['ranges'], { ...env, HOOKSERVER_GITHUB_TOKEN: 'wrong' })
  expect([code, stderr]).toEqual([0, 'hookserver: GitHub rejected the token, so the ranges were fetched without it\n'])
})

test('does not send GITHUB_TOKEN to another address', async () => {
  const { github } = await scene()
  const { code } = await hookserver(['ranges', '--api-url', github.url], { GITHUB_TOKEN: 'for api.github.com' })
  expect([code, github.requests.map(({ headers }) => headers.authorization)]).toEqual([0, [undefined]])
})

test('reports why the list is unavailable', async () => {
  const { github, run } = await scene()
  github.fail({ status: 500 })
  const failure = `hookserver: Cannot fetch the ranges from ${github.url}: Error reaching GitHub: GET /meta returned status 500\n`
  expect(await run('192.0.2.9')).toMatchObject({ code: 1, stdout: '', stderr: failure })
  github.fail('cut')
  expect((await run()).stderr).toMatch(/Error reaching GitHub: .+/)
})

test('explains itself, with examples', async () => {
  const { code, stdout } = await hookserver(['ranges', '--help'])
  expect([code, stdout]).toEqual([0, expect.stringContaining('\nExamples:\n  hookserver ranges ')])
})
