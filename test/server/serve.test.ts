import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { getWithEndlessBody } from '../endless-body.ts'
import { freePort } from '../free-port.ts'
import { ServedHere } from './serve-here.ts'
import { anyOrigin, project, type Served, ServedProcess, secret, withSecret } from './service.ts'

/** A module that appends the GUID of each handled delivery to a file in its folder. */
const appending = `
  import { appendFileSync } from 'node:fs'
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.hook('push', ({ ref }, guid) => { appendFileSync('handled.txt', guid + '\\n'); return ref })
  export default hooks`

const deliver = (url: string, guid: string, signedWith = secret) =>
  fetch(url, signedRequest('push', { secret: signedWith, guid }))

async function admin(served: Served, folder: string, path: string, init: RequestInit = {}): Promise<Response> {
  const token = readFileSync(join(folder, 'hookserver.token'), 'utf8').trim()
  return fetch(`${await served.adminUrl()}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } })
}

const reaches = (served: Served, folder: string, id: number, state: string) =>
  expect.poll(() => stateOf(served, folder, id)).toBe(state)

const stateOf = async (served: Served, folder: string, id: number) =>
  ((await (await admin(served, folder, `/api/v1/deliveries/${id}`)).json()) as { state: string }).state

describe('a server', () => {
  test('stores and handles deliveries with a module in a project that has not installed hookserver', async () => {
    const folder = project({ 'hooks.ts': appending })
    const served = new ServedProcess(folder, ['hooks.ts', ...anyOrigin], withSecret)
    const answer = await deliver(await served.url(), 'one')
    expect([answer.status, await answer.text()]).toEqual([202, 'Accepted'])
    await reaches(served, folder, 1, 'done')
    expect(readFileSync(join(folder, 'handled.txt'), 'utf8')).toBe('one\n')
  })

  test('serves the example of npm start', async () => {
    const folder = project()
    const example = fileURLToPath(new URL('../../examples/hooks.ts', import.meta.url))
    const served = new ServedHere(folder, [example, ...anyOrigin], withSecret)
    expect((await fetch(await served.url(), signedRequest('issues.opened', { secret }))).status).toBe(202)
    await reaches(served, folder, 1, 'done')
    expect(await (await admin(served, folder, '/api/v1/deliveries/1')).json()).toMatchObject({
      tasks: [
        { handler: 'hook:issues.opened', attempts: [{ outcome: 'succeeded', result: expect.stringMatching(/^#\d/) }] },
      ],
    })
  })

  test('without a module stores deliveries as ignored, and a module can handle them later', async () => {
    const folder = project()
    const capturing = new ServedHere(folder, anyOrigin, { SECRET_KEY: secret })
    expect((await deliver(await capturing.url(), 'one')).status).toBe(202)
    await reaches(capturing, folder, 1, 'ignored')
    expect(capturing.output).toContain('so this server runs no handlers: register a handler in a module')
    expect(capturing.output).toContain('"secretFrom":"the environment variable SECRET_KEY"')
    expect(await capturing.stop()).toBe(0)
    writeFileSync(join(folder, 'hooks.ts'), appending) // the module if none is named
    const served = new ServedProcess(folder, anyOrigin, withSecret)
    expect((await admin(served, folder, '/api/v1/deliveries/1/retry', { method: 'POST' })).status).toBe(200)
    await reaches(served, folder, 1, 'done')
  })

  test('may be split into a receiver and a worker that share a file', async () => {
    const folder = project({ 'hooks.ts': appending })
    const receiver = new ServedProcess(folder, ['--role', 'receiver', ...anyOrigin], withSecret)
    const url = await receiver.url()
    const worker = new ServedProcess(folder, ['hooks.ts', '--role', 'worker'], withSecret)
    await worker.line('Running handlers')
    expect((await deliver(url, 'one')).status).toBe(202)
    await reaches(receiver, folder, 1, 'done')
    expect(readFileSync(join(folder, 'handled.txt'), 'utf8')).toBe('one\n')
    expect(worker.lines.some(({ msg }) => msg.startsWith('Receiving'))).toBe(false)
  })

  test('loses no acknowledged delivery when it is killed', async () => {
    const folder = project({ 'hooks.ts': appending })
    const first = new ServedProcess(folder, ['--role', 'receiver', ...anyOrigin], withSecret)
    const url = await first.url()
    await Promise.all(['a', 'b', 'c'].map((guid) => deliver(url, guid)))
    first.child.kill('SIGKILL')
    await first.ended
    const second = new ServedProcess(folder, ['hooks.ts', ...anyOrigin], withSecret)
    for (const id of [1, 2, 3]) await reaches(second, folder, id, 'done')
    expect(readFileSync(join(folder, 'handled.txt'), 'utf8').split('\n').sort()).toEqual(['', 'a', 'b', 'c'])
  })

  test('does not read the body of a health check to its end', async () => {
    const served = new ServedHere(project(), anyOrigin, withSecret)
    const { origin } = new URL(await served.url())
    const { status, sent } = await getWithEndlessBody(`${origin}/healthz`)
    expect(status).toBe(200)
    expect(sent).toBeLessThan(100_000_000)
  })

  test('answers health checks on both listeners, and only deliveries on the public one', async () => {
    const folder = project()
    const served = new ServedHere(folder, anyOrigin, withSecret)
    const { origin } = new URL(await served.url())
    const text = async (url: string) => (await fetch(url)).text()
    expect(await text(`${origin}/healthz`)).toBe('ok')
    expect(await text(`${await served.adminUrl()}/healthz`)).toBe('ok')
    expect(await text(`${await served.adminUrl()}/readyz`)).toBe('ready')
    for (const url of [origin, await served.adminUrl()]) {
      expect((await fetch(`${url}/healthz`, { method: 'HEAD' })).status).toBe(200)
    }
    expect((await fetch(`${origin}/healthz`, { method: 'POST' })).status).toBe(404)
    for (const path of ['/', '/api/v1/deliveries', '/metrics', '/readyz']) {
      expect([path, (await fetch(`${origin}${path}`)).status]).toEqual([path, 404])
    }
    expect(await (await fetch(`${origin}/hooks`)).json()).toMatchObject({ status: 405, code: 'method_not_allowed' })
  })

  test('generates its token once, in a file that only its owner can read, and never prints it', async () => {
    const folder = project()
    const file = join(folder, 'hookserver.token')
    const first = new ServedHere(folder, anyOrigin, withSecret)
    await first.adminUrl()
    const token = readFileSync(file, 'utf8').trim()
    expect([statSync(file).mode & 0o777, token.length > 20]).toEqual([0o600, true])
    expect(await first.stop()).toBe(0)
    const second = new ServedHere(folder, anyOrigin, withSecret)
    await second.adminUrl()
    expect(readFileSync(file, 'utf8').trim()).toBe(token)
    expect(first.output + second.output).not.toContain(token)
    expect(first.output + second.output).not.toContain(secret)
  })

  test('stops on SIGTERM after running handlers have ended, and immediately on a second signal', async () => {
    const slow = `
      import { Hooks } from 'hookserver'
      const hooks = new Hooks()
      hooks.hook('push', (_data, _guid, { signal, log }) => {
        console.log('{"level":30,"msg":"begun"}')
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve('saved')))
      })
      export { hooks }`
    const folder = project({ 'hooks.ts': slow })
    const gentle = new ServedProcess(folder, ['hooks.ts', '--grace', '10ms', ...anyOrigin], withSecret)
    await deliver(await gentle.url(), 'one')
    await gentle.line('begun')
    gentle.child.kill('SIGTERM')
    expect(await gentle.ended).toBe(0)
    const hasty = new ServedProcess(folder, ['hooks.ts', '--grace', '1h', ...anyOrigin], withSecret)
    expect(await stateOf(hasty, folder, 1)).toBe('done')
    await deliver(await hasty.url(), 'two')
    await hasty.line('begun')
    const again = setInterval(() => hasty.child.kill('SIGTERM'), 50) // a second signal within 500 ms is ignored
    expect(await hasty.ended).toBe(1)
    clearInterval(again)
    expect(hasty.lines.filter(({ msg }) => msg.startsWith('Stopping'))).toHaveLength(1)
  })

  test('stops on SIGHUP, which the system sends when a terminal closes', async () => {
    const served = new ServedProcess(project(), anyOrigin, withSecret)
    await served.adminUrl()
    served.child.kill('SIGHUP')
    expect((await served.line('Stopping')).signal).toBe('SIGHUP')
    expect(await served.ended).toBe(0)
  })

  test('exits on an uncaught error of a handler, and a delivery that causes it each time ends dead', async () => {
    const poison = `
      import { Hooks } from 'hookserver'
      const hooks = new Hooks()
      hooks.hook('push', { attempts: 2, backoff: '1ms' }, () => new Promise(() => setImmediate(() => { throw new Error('thrown outside of a promise') })))
      export default hooks`
    const folder = project({ 'hooks.ts': poison })
    for (const guid of ['one', undefined]) {
      const served = new ServedProcess(folder, ['hooks.ts', ...anyOrigin], withSecret)
      if (guid) await deliver(await served.url(), guid)
      expect((await served.line('Uncaught exception')).err).toMatchObject({ message: 'thrown outside of a promise' })
      expect(await served.ended).toBe(1)
    }
    const last = new ServedProcess(folder, ['hooks.ts', ...anyOrigin], withSecret)
    await reaches(last, folder, 1, 'dead')
  })

  test('exits on a rejected promise that a handler does not await, and says so', async () => {
    const forgetful = `
      import { Hooks } from 'hookserver'
      const hooks = new Hooks()
      hooks.hook('push', () => { void Promise.reject(new Error('not awaited')) })
      export default hooks`
    const served = new ServedProcess(project({ 'hooks.ts': forgetful }), ['hooks.ts', ...anyOrigin], withSecret)
    await deliver(await served.url(), 'one')
    const { err, msg } = await served.line('Unhandled rejection')
    expect(err).toMatchObject({ message: 'not awaited' })
    expect(msg).toMatch(/: use await for each promise of a handler/)
    expect(await served.ended).toBe(1)
  })

  test('checks the origin of requests with GitHub’s address ranges', async () => {
    const github = await LocalGitHub.start({ hooks: ['192.0.2.0/24'] })
    onTestFinished(() => github.close())
    const trusting = ['--api-url', github.url, '--trust-proxy', 'loopback']
    const served = new ServedHere(project(), trusting, withSecret)
    const url = await served.url()
    const from = (address: string) => {
      const { headers, ...request } = signedRequest('push', { secret, guid: address })
      return fetch(url, { ...request, headers: { ...headers, 'x-forwarded-for': address } })
    }
    expect([(await from('192.0.2.1')).status, (await from('198.51.100.1')).status]).toEqual([202, 403])
    expect(await (await fetch(`${await served.adminUrl()}/readyz`)).text()).toBe('ready')
  })

  test.each([
    [[], 429],
    [['--admin-url', 'https://hooks.example'], 401],
  ])('trusts its proxies on the admin listener only with --admin-url: %j', async (args, status) => {
    const port = await freePort() // with --admin-url the log does not show the port
    const settings = ['--admin-port', String(port), '--trust-proxy', 'loopback', ...anyOrigin]
    const served = new ServedHere(project(), [...args, ...settings], withSecret)
    await served.adminUrl()
    const guess = (address: string, index: number) => {
      const headers = { authorization: `Bearer guess-${index}`, 'x-forwarded-for': address }
      return fetch(`http://127.0.0.1:${port}/api/v1/stats`, { headers })
    }
    for (let index = 0; index < 10; index++) expect((await guess('192.0.2.1', index)).status).toBe(401)
    expect((await guess('192.0.2.1', 10)).status).toBe(429)
    expect((await guess('192.0.2.2', 10)).status).toBe(status)
  })

  test('is not ready while it checks origins and GitHub’s addresses are unknown', async () => {
    const served = new ServedHere(project(), ['--api-url', 'http://127.0.0.1:9'], withSecret)
    const answer = await fetch(`${await served.adminUrl()}/readyz`)
    expect([answer.status, await answer.json()]).toMatchObject([503, { detail: expect.stringContaining('addresses') }])
  })
})

describe('the secret', () => {
  test('of --secret-file takes precedence over the environment, and the file may contain several secrets', async () => {
    const folder = project({ secrets: 'the new one\nthe old one\n' })
    const served = new ServedHere(folder, ['--secret-file', 'secrets', ...anyOrigin], withSecret)
    const url = await served.url()
    const signers = ['the new one', 'the old one', secret]
    const answers = await Promise.all(signers.map((signer) => deliver(url, signer, signer)))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 400])
    expect((await served.line('Receiving')).secretFrom).toBe('secrets')
    expect(served.output).not.toContain('the new one')
  })

  test('of --secret-file can be rotated without a restart', async () => {
    const folder = project({ secrets: 'the old one\n' })
    const served = new ServedHere(folder, ['--secret-file', 'secrets', ...anyOrigin])
    const url = await served.url()
    const statusesFor = async (guid: string) => {
      const signers = ['the old one', 'the new one']
      return Promise.all(signers.map(async (signer, index) => (await deliver(url, `${guid}-${index}`, signer)).status))
    }
    expect(await statusesFor('before')).toEqual([202, 400])
    writeFileSync(join(folder, 'secrets'), 'the new one\nthe old one\n')
    expect(await statusesFor('during')).toEqual([202, 202])
    writeFileSync(join(folder, 'secrets'), 'the new one\n')
    expect(await statusesFor('after')).toEqual([400, 202])
    writeFileSync(join(folder, 'secrets'), '')
    expect(await statusesFor('broken')).toEqual([400, 202])
    expect(await served.line('Cannot read the changed secrets')).toMatchObject({ file: 'secrets', level: 50 })
    expect(served.output).not.toMatch(/the (old|new) one/)
  })

  test('is generated with --dev, and the server listens on loopback and accepts any origin', async () => {
    const folder = project({ 'hooks.ts': appending })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    const url = await served.url()
    const made = readFileSync(join(folder, '.hookserver/secret'), 'utf8').trim()
    expect(new URL(url).hostname).toBe('127.0.0.1')
    expect((await deliver(url, 'one', made)).status).toBe(202)
    expect((await deliver(url, 'two', 'another')).status).toBe(400)
    expect(served.output).not.toContain(made)
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  })

  test('is kept when --dev restarts the server after a change of the module', async () => {
    const folder = project({ 'hooks.ts': appending })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await served.url()
    writeFileSync(join(folder, 'hooks.ts'), `${appending}\n// changed`)
    await expect.poll(() => served.lines.filter(({ msg }) => msg.startsWith('Receiving'))).toHaveLength(2)
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  })
})
