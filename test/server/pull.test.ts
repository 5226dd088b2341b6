/** Runs `hookserver serve --pull` with the local GitHub. */
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LocalGitHub } from '../../src/testing/index.ts'
import { ServedHere, startError } from './serve-here.ts'
import { project, ServedProcess } from './service.ts'

const token = 'ghp_the-token-that-no-line-may-show'
const taking = 'Pulling deliveries'

/** A module without a secret. It appends the GUID of each handled delivery to a file in its folder. */
const appending = `
  import { appendFileSync } from 'node:fs'
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.hook('push', (data, guid) => appendFileSync('handled.txt', guid + '\\n'))
  export default hooks`

async function startGitHub() {
  const github = await LocalGitHub.start({ token })
  onTestFinished(() => github.close())
  const hook = github.addHook({ repository: 'acme/shop', url: 'http://127.0.0.1:9/' })
  return { github, hook }
}

const env = { HOOKSERVER_GITHUB_TOKEN: token }
/** The flags of a server that polls at short intervals. */
const polling = (github: LocalGitHub) => ['--pull', 'acme/shop', '--pull-every', '20ms', '--api-url', github.url]

/** Starts a server that polls at short intervals. */
const pull = (folder: string, github: LocalGitHub, args: string[] = ['hooks.ts']) =>
  new ServedHere(folder, [...args, ...polling(github)], env)

async function guidOf(sent: ReturnType<LocalGitHub['deliver']>): Promise<string> {
  const [delivery] = await sent
  return delivery?.guid ?? ''
}

const handledIn = (folder: string): string[] => {
  const file = join(folder, 'handled.txt')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

const handles = (folder: string, guids: readonly string[]) => expect.poll(() => handledIn(folder)).toEqual(guids)

test('handles deliveries of GitHub’s log without a secret or a public port, even after a restart', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const { github, hook } = await startGitHub()
  const folder = project({ 'hooks.ts': appending })
  // The server would not start if it listened on this port, because the port is in use.
  const address = ['--host', '127.0.0.1', '--port', String(port)]
  const first = new ServedProcess(folder, ['hooks.ts', ...address, ...polling(github)], env)
  expect(await first.line(taking)).toMatchObject({ hooks: ['acme/shop'], every: 20 })
  const guids = [await guidOf(github.deliver('push'))]
  await handles(folder, guids)
  expect(await (await fetch(`${await first.adminUrl()}/readyz`)).text()).toBe('ready')
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  const messages = first.lines.map(({ msg }) => msg)
  expect(messages).toContain("GitHub's delivery log of acme/shop can be read")
  expect(messages.filter((msg) => msg.startsWith('Receiving') || msg === 'Running handlers')).toEqual([])
  expect(first.lines.filter(({ level }) => level > 30)).toEqual([])
  expect(first.output).not.toContain(token)

  guids.push(await guidOf(github.deliver('push')), await guidOf(github.deliver('push')))
  const second = pull(folder, github)
  await second.line(taking)
  await handles(folder, guids)
  guids.push(await guidOf(github.deliver('push')))
  await handles(folder, guids)
  expect(github.deliveries(hook).map(({ guid }) => guid)).toEqual(guids)
})

test('stores deliveries without a module', async () => {
  const { github } = await startGitHub()
  const folder = project()
  const served = pull(folder, github, [])
  await served.line(taking)
  const guid = await guidOf(github.deliver('issues.opened'))
  const admin = await served.adminUrl()
  const headers = { authorization: `Bearer ${readFileSync(join(folder, 'hookserver.token'), 'utf8').trim()}` }
  const stored = async () =>
    ((await (await fetch(`${admin}/api/v1/deliveries`, { headers })).json()) as { deliveries: unknown }).deliveries
  await expect.poll(stored).toMatchObject([{ guid, state: 'ignored', pulled: true }])
})

test('shows in its warnings and metrics that its polls fail', async () => {
  const { github } = await startGitHub()
  const folder = project({ 'hooks.ts': appending })
  const served = pull(folder, github)
  const admin = await served.adminUrl()
  const headers = { authorization: `Bearer ${readFileSync(join(folder, 'hookserver.token'), 'utf8').trim()}` }
  const shown = async () => {
    const stats = await (await fetch(`${admin}/api/v1/stats`, { headers })).json()
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    const { warnings } = stats as { warnings: { code: string; message: string }[] }
    const { message } = warnings.find(({ code }) => code === 'pull_failing') ?? {}
    return [message, /^hookserver_pull_failing_webhooks (\d)$/m.exec(metrics)?.[1]]
  }
  await served.line("GitHub's delivery log of acme/shop can be read")
  expect(await shown()).toEqual([undefined, '0'])
  github.failAt(/deliveries/, { status: 429, headers: { 'retry-after': '3600' } }) // so that the state lasts
  const message = expect.stringMatching(/^The deliveries of acme\/shop cannot be fetched: /)
  await expect.poll(shown).toEqual([message, '1'])
})

test('stops while GitHub does not respond', async () => {
  const { github } = await startGitHub()
  github.failAt(/deliveries/, ...Array<'hang'>(10).fill('hang')) // the server gives up a request after 20 seconds
  const served = pull(project({ 'hooks.ts': appending }), github)
  await expect.poll(() => github.requests.some(({ path }) => path.includes('/deliveries'))).toBe(true)
  await served.adminUrl()
  expect(await served.stop()).toBe(0)
  expect(served.lines.filter(({ level }) => level > 30)).toEqual([])
})

test.each([
  [
    'as a receiver',
    ['--pull', 'app', '--role', 'receiver'],
    /^2: hookserver: --pull: a receiver does not poll GitHub's delivery log/,
  ],
  [
    'without a token',
    ['--pull', 'acme/shop'],
    /^2: hookserver: --pull: GitHub shows webhooks only to an authorized client: set GITHUB_TOKEN/,
  ],
  [
    'with only a token for an App',
    ['--pull', 'app', '--github-token', token],
    /^2: .*set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY/,
  ],
])('does not start %s', async (_what, args, expected) => {
  expect(await startError(project(), args, {})).toMatch(expected)
})
