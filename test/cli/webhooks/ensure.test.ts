import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Hook } from '../../../src/testing/github/world/hook.ts'
import { project } from '../../server/service.ts'
import { hasTerminals, onTerminal } from '../command.ts'
import { secret, token, WebhooksScene } from './webhooks-scene.ts'

test('creates a webhook with the events of the handlers, and changes nothing the second time', async () => {
  const scene = await WebhooksScene.open()
  const folder = project({
    'hooks.ts': `
      import { Hooks } from 'hookserver'
      export const hooks = new Hooks()
      for (const event of ['push', 'issues.opened', 'issues.closed', 'team']) hooks.on(event, () => {})`,
  })
  const args = ['ensure', 'acme/shop', '--module', join(folder, 'hooks.ts'), '--yes']
  const first = await scene.runHere(...args)
  expect(first).toMatchObject({
    code: 0,
    stderr: 'hookserver: Left out events that GitHub does not send to webhooks of a repository: team\n',
  })
  expect(first.stdout.split('\n')).toEqual([
    'acme/shop: create a webhook',
    `  url           ${scene.url}`,
    '  events        issues, push',
    '  active        yes',
    '  content type  json',
    '  TLS checks    on',
    `  secret        from ${scene.secretFile}`,
    expect.stringMatching(/^✓ secret {5}proved: GitHub signed the ping of \d+s ago with it \(.*secrets\)$/),
    '✓ receiver   accepted the ping',
    '',
  ])
  expect(scene.writes).toEqual(['POST /repos/acme/shop/hooks'])
  const second = await scene.runHere(...args)
  expect(second.code).toBe(0)
  expect(second.stdout).toMatch(/^acme\/shop#\d+: nothing to change\n✓ secret {5}proved: GitHub signed the ping/)
  expect(scene.writes).toHaveLength(1)
})

describe('an existing webhook', () => {
  test('gets all differences in one request, which contains the secret', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ contentType: 'form', active: false }) as Hook
    const { code, stdout } = await scene.runHere('ensure', 'acme/shop', '--events', 'star,push', '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain(
      [
        `acme/shop#${hook.id}: 4 changes`,
        '  events        push → push, star',
        '  active        no → yes',
        '  content type  form → json',
        `  secret        not proved: no delivery shows it → from ${scene.secretFile}`,
        '',
      ].join('\n'),
    )
    expect(hook).toMatchObject({ events: ['push', 'star'], active: true, contentType: 'json', secret })
    expect(scene.writes).toEqual([`PATCH /repos/acme/shop/hooks/${hook.id}`])
  })

  test('that has another secret gets ours, and keeps its events', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ secret: 'another secret' })
    const { code, stdout } = await scene.runHere('ensure', 'acme/shop', '--yes')
    expect(stdout).toContain("  secret        not one of yours (the receiver rejects GitHub's signatures) → from ")
    expect(stdout).toContain('✓ secret     proved')
    expect([code, hook.secret, hook.events]).toEqual([0, secret, ['push']])
    expect(scene.writes).toEqual([`PATCH /repos/acme/shop/hooks/${hook.id}/config`])
  })

  test('keeps an older secret of the file that the server still accepts', async () => {
    const scene = await WebhooksScene.open(['the new secret', secret])
    const hook = scene.addHook({ contentType: 'form' })
    const { stdout } = await scene.runHere('ensure', 'acme/shop', '--yes')
    expect(stdout).toContain('secrets, line 2)')
    expect(hook).toMatchObject({ secret, contentType: 'json' })
  })

  test('is moved to another URL if its id is given', async () => {
    const scene = await WebhooksScene.open()
    const hook = scene.addHook({ url: 'http://127.0.0.1:9/old?token=hidden' })
    const { stdout } = await scene.runHere('ensure', `acme/shop#${hook.id}`, '--yes')
    expect(stdout).toContain(`  url           http://127.0.0.1:9/old → ${scene.url}\n`)
    expect(hook.url).toBe(scene.url)
  })

  test('makes the command fail if the receiver has another secret, although GitHub has ours', async () => {
    const scene = await WebhooksScene.open()
    scene.addHook({ secret: 'of the command' })
    const args = ['ensure', 'acme/shop', '--public-url', scene.url, '--yes']
    const { code, stdout } = await scene.run(args, { GITHUB_WEBHOOKS_KEY: 'of the command' })
    expect(code).toBe(1)
    expect(stdout).toContain('✗ receiver   rejected the ping (wrong_signature), although GitHub signed it')
  })
})

test('warns about an event that neither hookserver nor GitHub names', async () => {
  const scene = await WebhooksScene.open()
  const args = ['ensure', 'acme/shop', '--events', 'isues,next_year,push', '--dry-run']
  const unknown = ({ stderr }: { stderr: string }) =>
    [...stderr.matchAll(/Unknown event "(\w+)"/g)].map(([, name]) => name)
  const first = await scene.runHere(...args)
  expect(unknown(first)).toEqual(['isues', 'next_year'])
  expect(first.stderr).toContain('hookserver: Unknown event "isues". Did you mean "issues"? If GitHub added this event')
  const other = scene.addHook({ url: 'http://127.0.0.1:9/', events: ['next_year'] }) as Hook
  expect(unknown(await scene.runHere(...args))).toEqual(['isues'])
  other.events = ['push']
  const hook = scene.addHook({ events: ['*'] })
  scene.github.record(hook, [{ event: 'next_year', payload: { action: 'created' } }])
  expect(unknown(await scene.runHere(...args))).toEqual(['isues'])
})

test('a dry run sends nothing to GitHub, and changes nothing', async () => {
  const scene = await WebhooksScene.open()
  const args = ['ensure', 'acme/shop', '--events', '*', '--dry-run']
  expect(await scene.runHere(...args)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^acme\/shop: create a webhook\n.*\nDry run: nothing was changed\.\n$/s),
  })
  const hook = scene.addHook()
  const { stdout } = await scene.runHere(...args, '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ webhook: `acme/shop#${hook.id}`, action: 'update', applied: false, findings: [] },
    changes: [{ property: 'events', from: 'push', to: '*' }, { property: 'secret' }],
  })
  expect(scene.github.requests.filter(({ method }) => method !== 'GET')).toEqual([])
})

test('refuses if two webhooks deliver to the URL, and shows both', async () => {
  const scene = await WebhooksScene.open()
  const [first, second] = [scene.addHook(), scene.addHook({ events: ['star'] })]
  const { code, stderr } = await scene.runHere('ensure', 'acme/shop', '--events', 'push', '--yes')
  expect(code).toBe(1)
  expect(stderr).toBe(
    [
      `hookserver: acme/shop has 2 webhooks that deliver to ${scene.url}:`,
      `hookserver:   acme/shop#${first.id}  ${scene.url}  push  active`,
      `hookserver:   acme/shop#${second.id}  ${scene.url}  star  active`,
      `hookserver: Choose one by its id, such as acme/shop#${first.id}, or delete one: npx hookserver webhooks delete acme/shop#<id>`,
      '',
    ].join('\n'),
  )
  expect(scene.writes).toEqual([])
})

test('names the permission that the token lacks', async () => {
  const scene = await WebhooksScene.open()
  const readOnly = scene.github.addToken({ permissions: { repository_hooks: 'read' } })
  const args = [
    'ensure',
    'acme/shop',
    '--public-url',
    scene.url,
    '--secret-file',
    scene.secretFile,
    '--events',
    'push',
    '--yes',
  ]
  const { code, stderr } = await scene.run(args, { HOOKSERVER_GITHUB_TOKEN: readOnly })
  expect(code).toBe(1)
  expect(stderr).toContain('the repository permission "Webhooks" with Read and write (repository_hooks=write)')
  expect(stderr).not.toContain(readOnly)
})

test("changes the configuration of an App's webhook, and says where its events are chosen", async () => {
  const scene = await WebhooksScene.open()
  const app = scene.github.addApp({ id: 7, events: ['push'] })
  const hook = scene.addHook({ app, secret: 'another secret' })
  await scene.github.deliver('ping', undefined, { hooks: [hook] })
  const env = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: app.privateKey }
  const args = [
    'ensure',
    'app',
    '--public-url',
    scene.url,
    '--secret-file',
    scene.secretFile,
    '--events',
    'push,issues',
    '--yes',
  ]
  const { code, stdout } = await scene.run(args, env)
  expect(stdout).toContain('✓ secret     proved: GitHub signed the ping')
  expect(stdout).toContain('✗ events     missing: issues')
  expect(stdout).toContain('/settings/apps/app-7/permissions')
  expect([code, hook.secret, scene.writes]).toEqual([1, secret, ['PATCH /app/hook/config']])
  expect((await scene.run(args, env)).stdout).toMatch(/^app: nothing to change\n/)
  expect(scene.writes).toHaveLength(1)
})

test.runIf(hasTerminals)('asks on a terminal, and changes nothing without a yes', async () => {
  const scene = await WebhooksScene.open()
  const args = ['ensure', 'acme/shop', '--events', 'push', '--public-url', scene.url, '--secret-file', scene.secretFile]
  const env = { HOOKSERVER_GITHUB_TOKEN: token, HOOKSERVER_API_URL: scene.github.url }
  const { stdout } = await onTerminal(['webhooks', ...args], { columns: 120, env, typed: 'n\n' })
  expect(stdout).toContain('Create it? [y/N]')
  expect(stdout).toContain('Nothing was changed.')
  expect(scene.writes).toEqual([])
})

describe('a mistake on the command line', () => {
  test.each<[string[], RegExp]>([
    [['acme/shop'], /Cannot ask for confirmation without a terminal: pass --yes, or --dry-run to see the changes/],
    [['acme/shop/x', '--yes'], /target: expected acme\/shop, acme\/shop#<hook id>/],
    [['acme/shop', '--yes', '--public-url', 'http://hooks.example/'], /--public-url: expected an https URL/],
    [['acme/shop', '--yes', '--public-url', 'https://me:hidden@hooks.example/'], /a URL without a user or password/],
    [['acme/shop', '--yes'], /--public-url is missing/],
    [['acme/shop', '--yes', '--public-url', 'https://hooks.example/'], /No secret for the webhook/],
    [['acme/shop', '--yes', '--events', ','], /--events: expected a comma-separated list/],
  ])('%j exits with 2', async (args, message) => {
    const scene = await WebhooksScene.open()
    const { code, stderr } = await scene.run(['ensure', ...args])
    expect(stderr).toMatch(message)
    expect([code, stderr]).toEqual([2, expect.not.stringContaining('hidden')])
    expect(scene.github.requests).toEqual([])
  })

  test('such as no events for a new webhook exits with 2', async () => {
    const scene = await WebhooksScene.open()
    expect(await scene.runHere('ensure', 'acme/shop', '--yes')).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('No events for the webhook: pass the module with --module') },
    })
  })
})
