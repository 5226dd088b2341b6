import { describe, expect, onTestFinished, test } from 'vitest'
import { LocalGitHub } from '../../src/testing/index.ts'
import { project } from '../server/service.ts'
import { runDoctor, secret } from './run-doctor.ts'

const token = 'github_pat_that_must_stay_secret'
const nowhere = 'http://127.0.0.1:9/hooks'
const module = {
  'hooks.ts':
    "import { Hooks } from 'hookserver'\nexport const hooks = new Hooks()\nhooks.on('push', { name: 'a' }, () => {})",
}

/** The doctor's findings about webhooks. */
async function diagnose(github: LocalGitHub, ...args: string[]) {
  const env = { HOOKSERVER_GITHUB_TOKEN: token }
  const { of, output } = await runDoctor(project(module), ['hooks.ts', ...args], { github, env })
  expect(output).not.toContain(token)
  return of('webhook')
}

async function start(): Promise<LocalGitHub> {
  const github = await LocalGitHub.start({ token })
  onTestFinished(() => github.close())
  return github
}

describe('the doctor checks the webhooks', () => {
  test('of --recover, without a ping', async () => {
    const github = await start()
    const hook = github.addHook({ repository: 'acme/shop', url: nowhere, secret, events: ['push'] })
    github.record(hook, [{ event: 'push' }])
    expect(await diagnose(github, '--recover', `acme/shop#${hook.id}`)).toEqual([
      { what: 'webhook', state: 'fine', found: 'acme/shop has the right settings' },
    ])
    Object.assign(hook, { events: ['star'], active: false })
    const findings = await diagnose(github, '--recover', 'acme/shop', '--public-url', nowhere)
    expect(findings).toMatchObject([
      { state: 'failed', found: 'acme/shop: events: missing: push' },
      { state: 'failed', found: 'acme/shop: active: no' },
    ])
    expect(github.requests.filter(({ method }) => method === 'POST')).toEqual([])
  })

  test('of --recover with an address that ends with a slash', async () => {
    const github = await start()
    const hook = github.addHook({ repository: 'acme/shop', url: `${nowhere}/`, secret, events: ['push'] })
    github.record(hook, [{ event: 'push' }])
    const findings = await diagnose(github, '--recover', 'acme/shop', '--public-url', `${nowhere}/`)
    expect(findings).toMatchObject([{ state: 'fine' }])
  })

  test('of --pull, and accepts that deliveries to them fail', async () => {
    const github = await start()
    const hook = github.addHook({ repository: 'acme/shop', url: nowhere, events: ['push'] })
    github.record(hook, [{ event: 'push', statusCode: 502 }])
    expect(await diagnose(github, '--pull', 'acme/shop')).toMatchObject([{ state: 'fine' }])
  })

  test('of --pull, and finds that there is none', async () => {
    const github = await start()
    github.addRepository('acme/shop')
    expect(await diagnose(github, '--pull', 'acme/shop')).toMatchObject([
      { state: 'failed', found: 'acme/shop: url: acme/shop has no webhook' },
    ])
  })

  test('of --recover and of --pull together, each once', async () => {
    const github = await start()
    const recovered = github.addHook({ repository: 'acme/shop', url: nowhere, secret, events: ['push'] })
    github.record(recovered, [{ event: 'push', statusCode: 502 }])
    const pulled = github.addHook({ repository: 'acme/docs', url: nowhere, events: ['push'] })
    github.record(pulled, [{ event: 'push', statusCode: 502 }])
    const findings = await diagnose(github, '--recover', 'acme/shop', '--pull', 'acme/docs, acme/shop')
    expect(findings).toMatchObject([
      { state: 'warning', found: expect.stringMatching(/^acme\/shop: receiver: the push failed/) },
      { state: 'failed', found: expect.stringMatching(/^acme\/shop: deliveries: 1 of the last 1 failed/) },
      { state: 'fine', found: 'acme/docs has the right settings' },
    ])
  })

  test('and names the permission that the token lacks', async () => {
    const github = await start()
    expect(await diagnose(github, '--recover', 'acme/unknown#1')).toMatchObject([
      { state: 'failed', found: expect.stringMatching(/^GitHub shows no webhooks of acme\/unknown \(404\)/) },
    ])
  })
})
