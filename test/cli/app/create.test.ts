import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { botModule, follow, install, register, startCreateProcess, startServer } from './create-scene.ts'

const payload = {
  action: 'opened',
  issue: { number: 1, title: 'Hello', user: { login: 'octocat', type: 'User' } },
  repository: { id: 1, name: 'hello', full_name: 'octocat/hello', owner: { login: 'octocat' } },
}

/** The module, with its log and a handler for an unknown event. */
const carelessModule = botModule
  .replace('logger: false', '')
  .replace('export default', "hooks.on('isues', { name: 'typo' }, () => {})\nexport default")

test('creates the App, and runs the handlers until the first delivery is handled', async () => {
  const github = await startServer()
  github.addRepository('octocat/hello')
  const command = startCreateProcess(github, ['--name', 'Hello Bot'], { 'hooks.ts': carelessModule })
  const next = await follow(await register(github, await command.address()))
  expect([next.status, next.headers.get('location')]).toEqual([
    303,
    `${github.webUrl}/apps/hello-bot/installations/new`,
  ])
  await command.printed(/Waiting for the installation/)
  await install(next.headers.get('location') ?? '')
  await command.printed(/Waiting for the first delivery/)
  await github.deliver('issues.opened', payload)
  const { code, output } = await command.result()
  expect([code, output]).toEqual([0, expect.stringContaining('npx hookserver serve hooks.ts --pull app')])
  expect(output.match(/Unknown event .*/g)).toEqual([expect.stringMatching(/^Unknown event "isues"\. Did you mean/)])
  expect(github.requests.filter(({ path }) => path.endsWith('/issues/1/comments'))).toMatchObject([
    { body: { body: 'Thank you!' }, status: 201 },
  ])
  const [app] = github.apps
  expect(command.variables()).toEqual({
    GITHUB_APP_ID: String(app?.id),
    GITHUB_APP_PRIVATE_KEY: app?.privateKey,
    GITHUB_WEBHOOKS_KEY: github.webhooks[0]?.secret,
    GITHUB_CLIENT_ID: app?.clientId,
    GITHUB_CLIENT_SECRET: expect.stringMatching(/^\w{40}$/),
    HOOKSERVER_GITHUB: github.webUrl,
  })
  expect(statSync(join(command.folder, '.env')).mode & 0o777).toBe(0o600)
})
