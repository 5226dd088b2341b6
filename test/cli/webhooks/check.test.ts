import { describe, expect, test } from 'vitest'
import type { Hook } from '../../../src/testing/github/world/hook.ts'
import { WebhooksScene } from './webhooks-scene.ts'

/** Runs `webhooks check`. `findings` maps the name of each finding to its mark and text. */
async function check(scene: WebhooksScene, ...args: string[]) {
  const { code, stdout, stderr } = await scene.runHere('check', ...args)
  const lines = stdout.split('\n').filter((line) => /^[✓!✗]/.test(line))
  const findings = lines.map((line) => [line.slice(2, 12).trim(), `${line.slice(0, 2)}${line.slice(13)}`])
  return { code, stdout, stderr, findings: Object.fromEntries(findings) as Record<string, string> }
}

describe('the check of a webhook', () => {
  test('has a line for each property, and a ping proves the secret', async () => {
    const scene = await WebhooksScene.open()
    scene.addHook()
    const { code, findings } = await check(scene, 'acme/shop', '--events', 'push')
    expect(code).toBe(0)
    expect(findings).toEqual({
      url: `✓ ${scene.url}`,
      events: '✓ push',
      active: '✓ yes',
      content: '✓ application/json',
      TLS: "✓ GitHub checks the server's certificate",
      secret: expect.stringMatching(/^✓ proved: GitHub signed the ping of \d+s ago with it/),
      receiver: '✓ accepted the ping',
      deliveries: '✓ 1 delivery in the log, all accepted',
    })
    expect(scene.writes).toEqual([])
  })

  test('fails for each problem, with the command that repairs it', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ secret: 'drifted', contentType: 'form', events: ['push', 'star'] }) as Hook
    hook.insecureSsl = '1'
    const { code, stdout, findings } = await check(scene, `acme/shop#${hook.id}`, '--events', 'push,issues')
    expect(code).toBe(1)
    expect(stdout).not.toContain('drifted')
    expect(findings).toMatchObject({
      events: '✗ missing: issues',
      content: '! a form: hookserver reads it, but JSON is smaller',
      TLS: '✗ GitHub does not check the certificate of the server',
      secret: expect.stringContaining('✗ GitHub signs with another secret'),
      deliveries: expect.stringContaining('✗ 1 of the last 1 failed'),
    })
    expect(stdout).toContain(
      `→ npx hookserver webhooks ensure acme/shop#${hook.id} --secret-file ${scene.secretFile} --public-url ${scene.url} --events issues,push\n`,
    )
  })

  test('warns about an event that neither hookserver nor GitHub names', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ events: ['*'] })
    scene.github.record(hook, [{ event: 'next_year', payload: { action: 'created' } }])
    const { stdout } = await check(scene, 'acme/shop', '--no-ping', '--events', 'isues,next_year,push')
    expect(stdout.match(/^.*unknown: .*$/gm)).toEqual(['! events     unknown: isues'])
    expect(stdout).toMatch(/→ Did you mean "issues"\? If GitHub added this event .* ignore this warning\n$/)
  })

  test.each([
    'https://octo:hidden@hooks.example/',
    'https://hooks.example/?key=hidden',
    'https://hooks.example/$(hidden)',
  ])('shows no command with a secret or with characters for the shell: %s', async (url) => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ url, contentType: 'form' })
    const args = ['check', `acme/shop#${hook.id}`, '--no-ping', '--secret-file', scene.secretFile]
    const { stdout } = await scene.run(args)
    expect(stdout).toContain(
      `→ npx hookserver webhooks ensure acme/shop#${hook.id} --secret-file ${scene.secretFile} --public-url <url>\n`,
    )
    expect(stdout.replace(/^✓ url.*/, '')).not.toContain('hidden')
  })

  test('without a ping reads the log only', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ events: ['*'] })
    expect((await check(scene, 'acme/shop', '--no-ping')).findings.secret).toContain('! not proved: the log shows no')
    await scene.github.deliver('push', undefined, { hooks: [hook] })
    const { findings } = await check(scene, 'acme/shop', '--no-ping', '--events', 'push')
    expect(findings.secret).toMatch(/^✓ proved: GitHub signed the push of/)
    expect(findings.events).toBe('! all events, with handlers only for: push')
    expect(scene.github.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('fails for an inactive webhook without a secret', async () => {
    const scene = await WebhooksScene.open()
    scene.addHook({ active: false, secret: undefined as never })
    const { code, findings } = await check(scene, 'acme/shop')
    expect([code, findings.active, findings.secret]).toEqual([1, '✗ no', '✗ none: GitHub does not sign'])
  })

  test('fails if no webhook delivers to the URL, or two do', async () => {
    const scene = await WebhooksScene.open()
    const none = await check(scene, 'acme/shop')
    expect([none.code, none.findings.url]).toEqual([1, `✗ no webhook of acme/shop delivers to ${scene.url}`])
    expect(none.stdout).toContain(`→ create one: npx hookserver webhooks ensure acme/shop --public-url ${scene.url}`)
    const [first, second] = [scene.addHook(), scene.addHook({ events: ['star'] })]
    const twice = await check(scene, 'acme/shop')
    expect(twice.findings.url).toContain(`acme/shop#${first.id} (${scene.url}), acme/shop#${second.id}`)
  })

  test('prints one object per line with --json', async () => {
    const scene = await WebhooksScene.open()
    scene.addHook()
    const { stdout } = await scene.runHere('check', 'acme/shop', '--json', '--no-ping')
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(findings[0]).toEqual({ what: 'url', state: 'fine', found: scene.url })
  })
})

describe('the list of webhooks', () => {
  test('shows the settings and the last response, and hides the query of a URL', async () => {
    const scene = await WebhooksScene.open()
    const [first, second] = [
      scene.addHook(),
      scene.addHook({ url: 'https://hooks.example/?key=hidden', active: false }),
    ]
    await scene.github.deliver('push', undefined, { hooks: [first] })
    const { code, stdout } = await scene.run(['list', 'acme/shop'])
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/))
    expect(code).toBe(0)
    expect(rows).toEqual([
      ['ID', 'URL', 'EVENTS', 'ACTIVE', 'CONTENT', 'TLS CHECKS', 'SECRET', 'LAST RESPONSE'],
      [String(first.id), scene.url, 'push', 'yes', 'json', 'on', 'set', '200 active'],
      [String(second.id), 'https://hooks.example/', 'push', 'no', 'json', 'on', 'set', 'unused'],
      [''],
    ])
    const json = await scene.run(['list', 'acme/shop', '--json'])
    expect(JSON.parse(json.stdout.split('\n')[1] ?? '')).toMatchObject({
      webhook: `acme/shop#${second.id}`,
      url: 'https://hooks.example/',
      active: false,
    })
    expect(stdout + json.stdout).not.toContain('hidden')
  })

  test('shows the webhook of an App, and says if there are no webhooks', async () => {
    const scene = await WebhooksScene.open()
    const app = scene.github.addApp({ id: 7, events: ['issues'] })
    scene.addHook({ app })
    const env = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: app.privateKey }
    expect((await scene.run(['list', 'app'], env)).stdout).toMatch(
      /\napp {2,}\S+ +issues +unknown +json +on +set +unknown\n/,
    )
    expect(await scene.run(['list', 'acme/shop'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No webhooks found.\n',
    })
  })

  test('needs credentials', async () => {
    const scene = await WebhooksScene.open()
    const ended = await scene.run(['list', 'acme/shop'], { HOOKSERVER_GITHUB_TOKEN: '' })
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('set HOOKSERVER_GITHUB_TOKEN') })
  })
})

describe('delete', () => {
  test('deletes the webhook with the id, and no other', async () => {
    const scene = await WebhooksScene.open()
    const [first, second] = [scene.addHook(), scene.addHook({ url: 'https://hooks.example/?key=hidden' })]
    const name = `acme/shop#${second.id}`
    const dry = await scene.run(['delete', name, '--dry-run'])
    expect(dry.stdout).toBe(`${name} (https://hooks.example/; push)\nDry run: nothing was changed.\n`)
    expect(scene.writes).toEqual([])
    const { code, stdout } = await scene.run(['delete', name, '--yes'])
    expect([code, stdout]).toEqual([0, `Deleted ${name} (https://hooks.example/; push).\n`])
    const left = await scene.run(['list', 'acme/shop', '--json'])
    expect(JSON.parse(left.stdout)).toMatchObject({ id: String(first.id) })
  })

  test.each<[string[], number, RegExp]>([
    [['acme/shop', '--yes'], 2, /Which webhook of acme\/shop\? Add its id/],
    [['acme/..#1', '--yes'], 2, /^hookserver: target: expected/],
    [['app', '--yes'], 2, /GitHub's API cannot delete the webhook of an App/],
    [['acme/shop#1'], 2, /Cannot ask for confirmation without a terminal/],
    [['acme/shop#1', '--yes'], 1, /acme\/shop has no webhook with the id 1/],
  ])('%j exits with %i', async (args, code, message) => {
    const scene = await WebhooksScene.open()
    expect(await scene.run(['delete', ...args])).toMatchObject({ code, stderr: expect.stringMatching(message) })
    expect(scene.writes).toEqual([])
  })
})
