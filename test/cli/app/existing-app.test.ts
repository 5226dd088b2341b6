import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { unreachableUrl } from '../../../src/github/app/manifest.ts'
import type { LocalApp, LocalGitHub } from '../../../src/testing/index.ts'
import { project } from '../../server/service.ts'
import { hasTerminals, onTerminal } from '../command.ts'
import { AppCommand, botModule, startServer } from './create-scene.ts'

const secret = 'a secret that must not be shown'

/** An App with a webhook, a module, and the files from which "hookserver app import" reads the key and the secret. */
async function existingApp(installations: readonly { id: number; account: string }[] = []) {
  const github = await startServer()
  const permissions = { issues: 'write', metadata: 'read' } as const
  const app = github.addApp({ id: 7, slug: 'hello-bot', permissions, events: ['issues'], installations })
  github.addHook({ app, url: 'https://bot.example.com/hooks?key=hidden', secret })
  return { github, app, files: { 'hooks.ts': botModule, 'bot.pem': app.privateKey, secret: `${secret}\n` } }
}

const importArgs = (github: LocalGitHub, ...more: string[]) => [
  ...['import', '--id', '7', '--private-key', 'bot.pem', '--github', github.webUrl],
  ...more,
]

const environment = (github: LocalGitHub, app: LocalApp) => ({
  ...{ GITHUB_APP_ID: String(app.id), GITHUB_APP_PRIVATE_KEY: app.privateKey, HOOKSERVER_GITHUB: github.webUrl },
})

async function run(folder: string, args: readonly string[], env: Record<string, string> = {}) {
  const command = new AppCommand(folder, args, env)
  const { code, output } = await command.result()
  expect(output).not.toContain(secret)
  expect(output).not.toContain('PRIVATE KEY---')
  return { code, output, variables: command.variables() }
}

describe('import', () => {
  test('checks the key, and writes the variables that the other commands read', async () => {
    const { github, app, files } = await existingApp()
    const folder = project(files)
    const imported = await run(folder, importArgs(github, '--secret-file', 'secret'))
    expect(imported).toMatchObject({
      code: 0,
      output: expect.stringContaining('GitHub accepts the key of the App hello-bot (id 7) of octocat'),
    })
    expect(imported.variables).toEqual({
      ...{ GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: app.privateKey.trim(), GITHUB_WEBHOOKS_KEY: secret },
      ...{ GITHUB_CLIENT_ID: app.clientId, HOOKSERVER_GITHUB: github.webUrl },
    })
    expect(await run(folder, ['status'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('hello-bot (id 7)'),
    })
    const again = await run(folder, importArgs(github, '--secret-file', 'secret'))
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining('.env already sets GITHUB_APP_ID') })
  })

  test.runIf(hasTerminals)('asks for the secret, and does not show it', async () => {
    const { github, files } = await existingApp()
    const folder = project(files)
    const args = importArgs(github, '--output', join(folder, 'bot.env')).with(4, join(folder, 'bot.pem'))
    const { code, stdout } = await onTerminal(['app', ...args], { typed: `${secret}\n`, asks: /not shown\): $/ })
    expect([code, stdout]).toEqual([0, expect.stringContaining('Wrote the id, the key and the secret')])
    expect(stdout).not.toContain(secret)
  })

  test.each([
    ['a key of another App', ['--id', '8'], 1, /GitHub.*\.env was not changed/],
    ['the key itself', ['--private-key', '-----BEGIN hidden'], 2, /expected the path of a PEM file/],
    ['a key file that does not exist', ['--private-key', 'none.pem'], 2, /--private-key: there is no such file/],
    ['a file that is no key', ['--private-key', 'secret'], 2, /is not an RSA private key/],
    ['a secret file that does not exist', ['--secret-file=none'], 1, /Cannot read none/],
    ['a dry run', ['--dry-run'], 0, /Dry run: \.env was not changed/],
  ])('writes nothing for %s', async (_, more, code, message) => {
    const { github, files } = await existingApp()
    github.addApp({ id: 8, slug: 'other-bot' })
    const ended = await run(project(files), importArgs(github, ...more))
    expect(ended).toMatchObject({ code, output: expect.stringMatching(message), variables: {} })
    expect(ended.output).not.toContain('hidden')
  })

  test('writes nothing if the answer does not come from GitHub', async () => {
    const { github, files } = await existingApp()
    github.failAt(/^GET .*\/app$/, { status: 200, body: '<html>' })
    const ended = await run(project(files), importArgs(github, '--secret-file', 'secret'))
    expect(ended).toMatchObject({ code: 1, output: expect.stringContaining('describes no App'), variables: {} })
  })

  test('needs a terminal or a file for the secret', async () => {
    const { github, files } = await existingApp()
    const ended = await run(project(files), importArgs(github))
    expect(ended).toMatchObject({ code: 2, output: expect.stringContaining('pass --secret-file'), variables: {} })
  })
})

describe('status', () => {
  test('shows the App, its installations and its deliveries', async () => {
    const { github, app } = await existingApp([{ id: 5, account: 'acme' }])
    const [hook] = github.webhooks
    if (hook) github.record(hook, [{ event: 'issues.opened', status: 'timed out', statusCode: 0 }])
    const { code, output } = await run(project(), ['status'], environment(github, app))
    expect(code).toBe(0)
    expect(output).toContain(`Settings     ${github.webUrl}/settings/apps/hello-bot\n`)
    expect(output).toContain('Permissions  issues (write), metadata (read)\nEvents       issues\n')
    expect(output).toContain('Webhook      https://bot.example.com/hooks (')
    expect(output).toMatch(/5 +acme +all +issues \(write\)/)
    expect(output).toMatch(/issues\.opened +timed out/)
    expect(output).not.toContain('hidden')
  })

  test('says why deliveries to an address without a server fail', async () => {
    const { github, app } = await existingApp()
    const [hook] = github.webhooks
    if (!hook) throw new Error('The App has no webhook')
    hook.url = unreachableUrl
    github.record(hook, [{ event: 'issues.opened', status: 'failed to connect to host', statusCode: 502 }])
    const { output } = await run(project(), ['status'], environment(github, app))
    expect(output).toMatch(/so GitHub fails to deliver\. "serve --pull app" reads the deliveries\.\n$/)
  })

  test('prints one object with --json', async () => {
    const { github, app } = await existingApp()
    const { output } = await run(project(), ['status', '--json'], environment(github, app))
    expect(JSON.parse(output)).toMatchObject({
      app: { id: '7', slug: 'hello-bot', owner: { login: 'octocat', isOrganization: false } },
      hook: { url: 'https://bot.example.com/hooks', hasSecret: true, verifiesTls: true },
      ...{ installations: [], deliveries: [] },
    })
    expect(output).not.toContain('hidden')
  })

  test('without an App says how to get one', async () => {
    const ended = await run(project(), ['status'])
    expect(ended).toMatchObject({ code: 2, output: expect.stringContaining('hookserver app create') })
  })

  test('says that GitHub does not know the App', async () => {
    const { github, app } = await existingApp()
    const env = { ...environment(github, app), GITHUB_APP_ID: '9' }
    expect(await run(project(), ['status'], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('no such App (404)'),
    })
  })
})

describe('diff', () => {
  test('finds nothing for an App that has all that the handlers need', async () => {
    const { github, app, files } = await existingApp()
    const ended = await run(project(files), ['diff'], environment(github, app))
    expect(ended).toMatchObject({ code: 0, output: expect.stringContaining('✓ App') })
  })

  test('shows missing and unneeded permissions and events, and the page for changes', async () => {
    const { github, app } = await existingApp([{ id: 5, account: 'acme' }])
    const module = `
      import { Hooks } from 'hookserver'
      const hooks = new Hooks({ app: { id: process.env.GITHUB_APP_ID, privateKey: process.env.GITHUB_APP_PRIVATE_KEY } })
      hooks.on('push', () => {})
      export { hooks }`
    const folder = project({ 'bot.ts': module })
    const { code, output } = await run(folder, ['diff', 'bot.ts'], environment(github, app))
    expect(code).toBe(1)
    expect(output).toContain('✗ permission contents: the handlers need read, the App has no access\n')
    expect(output).toContain('✗ event      the App does not subscribe to push\n')
    expect(output).toContain('! permission issues: the App has write, the handlers need no access\n')
    expect(output).toContain('! event      no handler needs issues\n')
    expect(output).toContain('each account must accept the new permissions')
    expect(output).toContain(`  ${github.webUrl}/settings/apps/hello-bot/permissions\n`)
    const json = await run(folder, ['diff', 'bot.ts', '--json'], environment(github, app))
    expect([json.code, JSON.parse(json.output)]).toMatchObject([1, { missingEvents: ['push'], notes: [] }])
  })

  test('accepts an event that GitHub lists for the App, although this version does not know it', async () => {
    const { github } = await existingApp()
    const app = github.addApp({ id: 8, slug: 'new-bot', permissions: { metadata: 'read' }, events: ['next_year'] })
    const module = `
      import { Hooks } from 'hookserver'
      export const hooks = new Hooks({ app: { id: 8, privateKey: process.env.GITHUB_APP_PRIVATE_KEY } })
      for (const name of ['next_year.created', 'isues']) hooks.on(name, () => {})`
    const { code, output } = await run(project({ 'hooks.ts': module }), ['diff', '--json'], environment(github, app))
    expect([code, JSON.parse(output)]).toMatchObject([
      0,
      {
        ...{ missingEvents: [], unneededEvents: [] },
        notes: [
          expect.stringMatching(/^Unknown event "isues"\. Did you mean "issues"\? .*subscribe to it on the page/),
        ],
      },
    ])
  })

  test.runIf(process.platform === 'linux')(
    'opens the page in a browser that gets no variable of the file',
    async () => {
      const { github, app, files } = await existingApp()
      const module = botModule.replace('issues.opened', 'push')
      const folder = project({
        ...files,
        'hooks.ts': module,
        'xdg-open': '#!/bin/sh\necho "$1" > opened\nenv > environment\n',
      })
      chmodSync(join(folder, 'xdg-open'), 0o700)
      const key = app.privateKey.trim().replaceAll('\n', '\\n')
      const text = `GITHUB_APP_ID=7\nGITHUB_APP_PRIVATE_KEY="${key}"\nHOOKSERVER_GITHUB=${github.webUrl}\n`
      writeFileSync(join(folder, '.env'), text, { mode: 0o600 })
      await run(folder, ['diff', '--open'], { PATH: `${folder}:${process.env.PATH}` })
      const environment = join(folder, 'environment')
      await expect.poll(() => existsSync(environment) && readFileSync(environment, 'utf8')).toContain('PWD=')
      expect(readFileSync(join(folder, 'opened'), 'utf8')).toContain('/settings/apps/hello-bot/permissions')
      expect(readFileSync(environment, 'utf8')).not.toMatch(/GITHUB_APP|PRIVATE KEY/)
    },
  )

  test('shows the names in an address without the control characters of a terminal', async () => {
    const { github, app, files } = await existingApp()
    const owner = { login: 'a\u001b[31m', type: 'Organization' }
    github.failAt(/^GET .*\/app$/, { status: 200, body: { id: 7, name: 'a', slug: 'b\u001b[0m/..', owner } })
    const { output } = await run(project(files), ['diff'], environment(github, app))
    expect(output).toContain('/organizations/a%1B%5B31m/settings/apps/b%1B%5B0m%2F../permissions')
    expect(output).not.toContain('\u001b')
  })
})
