/** Runs the commands of the guide "Your first webhook" as they are written, against the local GitHub. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { listen, stop } from '../../adapters/host.ts'
import { main } from '../../build.ts'
import { compileCache } from '../../compile-cache.ts'
import { ServedHere } from '../../server/serve-here.ts'
import { project, ServedProcess } from '../../server/service.ts'

const guide = readFileSync(new URL('../../../docs/guides/first-webhook.md', import.meta.url), 'utf8')
const token = 'github_pat_that_must_stay_secret'

/** The command of the guide that begins with `start`. */
function command(start: string): string {
  const found = guide.split('\n').find((line) => line.startsWith(start))
  if (found === undefined) throw new Error(`The guide has no command "${start}"`)
  return found
}

/** The arguments of the guide's command that starts the server with this flag. */
const serverArgs = (flag: string): string[] => {
  const line = guide.split('\n').find((one) => one.startsWith('npx hookserver serve') && one.includes(flag)) ?? ''
  return line.split(' ').slice(3)
}

/** Sends a delivery to a server in development mode, as the guide does before it starts the public server. */
async function tryHandler(folder: string, sh: (text: string) => Promise<string>): Promise<void> {
  expect(serverArgs('--dev')).toEqual(['hooks.ts', '--dev', '--secret-file', 'webhook-secrets'])
  const flags = ['--validate-ip', 'false', '--secret-file', 'webhook-secrets'] // as with `--dev`, but in one process
  const server = new ServedHere(folder, ['hooks.ts', ...flags])
  const send = command('GITHUB_WEBHOOKS_KEY=')
  expect(await sh(`${send} --to ${await server.url()}`)).toMatch(/^202 Accepted/)
  await expect.poll(() => sh(command('npx hookserver deliveries list'))).toMatch(/^ *1 .*done +issues\.opened/m)
  await server.stop()
}

/** Stands for the proxy with the public address. It reports one of GitHub's addresses as that of the client. */
async function startProxy(server: string): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, 'x-forwarded-for': '192.30.252.1' }
    const forwarded = request(server, { method: 'POST', headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    incoming.pipe(forwarded)
  })
  onTestFinished(() => stop(proxy))
  return `${await listen(proxy)}/hooks`
}

test('the commands of the guide lead from an empty folder to the first delivery', async () => {
  const github = await LocalGitHub.start({ token })
  onTestFinished(() => github.close())
  github.addRepository('acme/shop')
  const [, module = ''] = /```ts\n(.*?)```/s.exec(guide) ?? []
  const folder = project({ 'hooks.ts': module })
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, ...compileCache, HOOKSERVER_API_URL: github.url, HOOKSERVER_GITHUB_TOKEN: token }
  const sh = async (text: string): Promise<string> => {
    const script = `npx() { shift; '${process.execPath}' '${main}' "$@"; }; ${text}`
    const { stdout, stderr } = await promisify(execFile)('bash', ['-euc', script], { cwd: folder, env })
    return stdout + stderr
  }
  await sh(command('(umask 077; openssl'))
  await tryHandler(folder, sh)

  const server = new ServedProcess(folder, serverArgs('--trust-proxy'), { HOOKSERVER_API_URL: github.url })
  const url = await startProxy(await server.url())
  const here = (text: string) => text.replace('https://hooks.example/hooks', url)
  const created = await sh(`${here(command('npx hookserver webhooks ensure'))} --yes`)
  const [, block = ''] = guide.split('```\nacme/shop: create')
  const shown = `acme/shop: create${block.split('```')[0]}`.replace(/Create it\?.*\n/, '')
  expect(created.replaceAll(/\d+s ago/g, '1s ago')).toBe(here(shown))

  const issue = {
    action: 'opened',
    issue: { number: 7, title: 'It works' },
    repository: { id: 1, full_name: 'acme/shop' },
  }
  const [delivery] = await github.deliver('issues', issue)
  expect(delivery).toMatchObject({ statusCode: 202, status: 'OK' })
  await expect.poll(() => sh(command('npx hookserver deliveries list'))).toMatch(/^ *3 .*done +issues\.opened/m)
  expect(await sh(command('npx hookserver deliveries show 3'))).toContain('#7 It works')
  const checked = await sh(here(command('npx hookserver webhooks check')))
  expect(checked).toContain('✓ events     issues\n')
  expect(checked).not.toMatch(/[!✗]/)
})
