import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { ServedHere } from './serve-here.ts'
import { anyOrigin, project, type Served, ServedProcess, secret, withSecret } from './service.ts'

const hooksModule = `
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.hook('push', () => 'built')
  hooks.hook('ping', () => { console.log('{"level":30,"msg":"pinged"}') })
  export default hooks`

/** Delivers a push and then a ping, and waits until the ping is handled. */
async function deliverBoth(served: Served, signedWith: string): Promise<void> {
  const url = await served.url()
  for (const event of ['push', 'ping']) await fetch(url, signedRequest(event, { secret: signedWith, guid: event }))
  await served.line('pinged')
}

const handled = {
  msg: 'Handler succeeded',
  id: 1,
  event: 'push',
  guid: 'push',
  handler: 'hook:push',
  duration: expect.any(Number),
}

test('the attempts of a killed server are logged when the next server takes them over', async () => {
  const folder = project({
    'hooks.ts': `
      import { Hooks } from 'hookserver'
      const hooks = new Hooks()
      hooks.on('push', { name: 'deploy' }, ({ attempt }) => {
        console.log('{"level":30,"msg":"deploying"}')
        return attempt === 1 ? new Promise(() => {}) : 'deployed'
      })
      export default hooks`,
  })
  const killed = new ServedProcess(folder, ['hooks.ts', ...anyOrigin], withSecret)
  await fetch(await killed.url(), signedRequest('push', { secret }))
  await killed.line('deploying')
  killed.child.kill('SIGKILL')
  await killed.ended
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const next = new ServedHere(folder, ['hooks.ts', ...anyOrigin], withSecret)
  onTestFinished(() => void vi.useRealTimers())
  await next.line('Handler succeeded')
  await vi.advanceTimersByTimeAsync(5000) // the next check
  expect(await next.line('Attempts were cut off and run again')).toMatchObject({ level: 40, handlers: { deploy: 1 } })
})

describe('a delivery that was handled', () => {
  test('is logged with --quiet at the level debug', async () => {
    const args = ['hooks.ts', '--quiet', '--log-level', 'debug', ...anyOrigin]
    const served = new ServedHere(project({ 'hooks.ts': hooksModule }), args, withSecret)
    await deliverBoth(served, secret)
    expect(await served.line('Handler succeeded')).toMatchObject({ ...handled, level: 20 })
  })

  test('is logged, also with --dev', async () => {
    const folder = project({ 'hooks.ts': hooksModule })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    await served.url()
    await deliverBoth(served, readFileSync(join(folder, '.hookserver/secret'), 'utf8').trim())
    expect(await served.line('Handler succeeded')).toMatchObject({ ...handled, level: 30 })
  })

  test('is not logged with --quiet', async () => {
    const args = ['hooks.ts', '--quiet', ...anyOrigin]
    const served = new ServedHere(project({ 'hooks.ts': hooksModule }), args, withSecret)
    await deliverBoth(served, secret)
    expect(await served.stop()).toBe(0)
    expect(served.output).not.toContain('Handler succeeded')
  })
})

test('names a permission in config that is unknown', async () => {
  const config = "export const config = { permissions: { isues: 'write' } }"
  const served = new ServedHere(project({ 'hooks.ts': `${hooksModule}; ${config}` }), ['hooks.ts'], withSecret)
  const line = await served.line('Unknown permission')
  expect(line).toMatchObject({ level: 40, msg: expect.stringContaining('"isues" in config.permissions. Did you mean') })
})

describe('a line of a delivery', () => {
  const logging = `
    import { Hooks } from 'hookserver'
    const hooks = new Hooks()
    hooks.on('issues', { name: 'note', attempts: 1 }, ({ log }) => log.info('seen'))
    hooks.on('issues', { name: 'fail', attempts: 1 }, () => { throw new Error('broken') })
    export default hooks`

  test('has the id for "deliveries show" and the action', async () => {
    const served = new ServedHere(project({ 'hooks.ts': logging }), ['hooks.ts', ...anyOrigin], withSecret)
    await fetch(await served.url(), signedRequest('issues.opened', { secret, guid: 'g' }))
    const shared = { id: 1, guid: 'g', event: 'issues', action: 'opened' }
    expect(await served.line('Handler succeeded')).toMatchObject({ ...shared, handler: 'note' })
    expect(await served.line('seen')).toMatchObject(shared)
    expect(await served.line('Handler fail failed')).toMatchObject(shared)
  })
})

describe('the log of a server', () => {
  test('names the database of the server, or the inbox of the module', async () => {
    const withInbox = hooksModule
      .replace("import { Hooks } from 'hookserver'", "$&\nimport { sqlite } from 'hookserver/sqlite'")
      .replace('new Hooks()', "new Hooks({ inbox: sqlite('own.db') })")
    for (const [module, database] of [
      [hooksModule, 'hookserver.db'],
      [withInbox, 'the inbox of hooks.ts'],
    ] as const) {
      const served = new ServedHere(project({ 'hooks.ts': module }), ['hooks.ts'], withSecret)
      expect((await served.line('Receiving')).database).toBe(database)
      await served.stop()
    }
  })

  test('names the address that the server listens on', async () => {
    const args = ['hooks.ts', '--host', '0.0.0.0', ...anyOrigin]
    const served = new ServedHere(project({ 'hooks.ts': hooksModule }), args, withSecret)
    const { port } = new URL(await served.url())
    expect(await served.line('Receiving')).toMatchObject({
      msg: `Receiving on 0.0.0.0:${port}`,
      url: `http://localhost:${port}/hooks`,
    })
  })

  test('names flags and variables, and not the options of a Hooks, which an operator cannot change', async () => {
    const asking = `
      import { Hooks } from 'hookserver'
      const hooks = new Hooks()
      hooks.on('ping', { name: 'ask', attempts: 1 }, (delivery) => delivery.octokit())
      export default hooks`
    const files = { 'hooks.ts': asking }
    const strict = new ServedHere(project(files), ['hooks.ts', '--ranges', '192.0.2.0/24'], withSecret)
    await fetch(await strict.url(), signedRequest('push', { secret }))
    expect((await strict.line('Rejected a delivery')).msg).toContain('add --trust-proxy 127.0.0.1;')
    expect((await strict.line('Rejected a delivery')).msg).toContain('set --ranges 127.0.0.1')
    await strict.stop()

    const args = ['hooks.ts', '--ranges', '192.0.2.0/24', '--validate-ip', 'warn']
    const warning = new ServedHere(project(files), args, withSecret)
    await fetch(await warning.url(), signedRequest('ping', { secret }))
    expect((await warning.line('Accepted')).msg).toMatch(/^Accepted a delivery that --validate-ip true would reject/)
    expect((await warning.line('Handler ask failed')).err).toMatchObject({
      message: expect.stringContaining('needs credentials: set GITHUB_TOKEN, or create an App'),
    })
  })
})

describe('a warning of a Hooks that the module creates without a logger', () => {
  const careless = `
    import { Hooks } from 'hookserver'
    const hooks = new Hooks({ apiUrl: 'http://127.0.0.1:9' })
    hooks.hook('pushed', () => {})
    console.log('{"level":30,"msg":"loaded"}')
    export default hooks`

  test('is a line of the JSON log', async () => {
    // In its own process: a process logs only once that it cannot fetch the addresses.
    const served = new ServedProcess(project({ 'hooks.ts': careless }), ['hooks.ts'], withSecret)
    expect(await served.line('Unknown event')).toMatchObject({
      level: 40,
      name: 'pushed',
    })
    await fetch(await served.url(), signedRequest('push', { secret }))
    expect(await served.line("Cannot fetch GitHub's addresses")).toMatchObject({ level: 40 })
    served.child.kill('SIGTERM')
    await served.ended
    expect(served.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([])
  })

  test('is not printed with --log-level silent', async () => {
    const args = ['hooks.ts', '--log-level', 'silent']
    const served = new ServedHere(project({ 'hooks.ts': careless }), args, withSecret)
    await served.line('loaded')
    await served.stop()
    expect(served.output).toBe('{"level":30,"msg":"loaded"}\n')
  })
})
