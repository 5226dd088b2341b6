import { expect, onTestFinished, test } from 'vitest'
import { type ConfigError, resolveConfig } from '../../src/server/config/resolve-config.ts'
import { hooksOptions } from '../../src/server/config/server-options.ts'
import { checkWebhookChoice } from '../../src/server/github.ts'
import { resolveOptions } from '../../src/settings.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { startError } from './serve-here.ts'
import { project, withSecret } from './service.ts'

async function start() {
  const github = await LocalGitHub.start({ token: 'a-token' })
  onTestFinished(() => github.close())
  const addHook = (host: string) =>
    `acme/shop#${github.addHook({ repository: 'acme/shop', url: `https://${host}/secret` }).id}`
  const check = (flags: Readonly<Record<string, string>>) => {
    const config = resolveConfig({ flags: { apiUrl: github.url, githubToken: 'a-token', ...flags }, env: {} })
    return checkWebhookChoice({ config, settings: resolveOptions(hooksOptions(config)) })
  }
  return { github, addHook, check }
}

test.each(['recover', 'pull'])('one webhook of the repository of --%s is clear', async (flag) => {
  const { addHook, check } = await start()
  addHook('hooks.example')
  await check({ [flag]: 'acme/shop' })
})

test.each(['recover', 'pull'])('several webhooks of the repository of --%s are listed', async (flag) => {
  const { addHook, check } = await start()
  const [first, second] = [addHook('a.example'), addHook('b.example')]
  const error: ConfigError = await check({ [flag]: 'acme/shop' }).catch((error) => error)
  expect(error.message).toBe(
    `--${flag}: acme/shop has 2 webhooks. Choose one by its id: ${first} (a.example), ${second} (b.example)`,
  )
  await check({ [flag]: first })
})

test('an address chooses among several webhooks', async () => {
  const { addHook, check } = await start()
  addHook('a.example')
  addHook('b.example')
  await check({ recover: 'acme/shop', publicUrl: 'https://a.example/secret' })
})

test('a server starts although GitHub shows no webhooks, or does not answer', async () => {
  const { github, check } = await start()
  await check({ recover: 'acme/shop' })
  await github.close()
  await check({ recover: 'acme/shop' })
})

test('a server does not start if the webhook is not clear', async () => {
  const { github, addHook } = await start()
  addHook('a.example')
  addHook('b.example')
  const env = { ...withSecret, HOOKSERVER_GITHUB_TOKEN: 'a-token' }
  const said = await startError(project(), ['--recover', 'acme/shop', '--api-url', github.url], env)
  expect(said).toMatch(/^2: hookserver: --recover: acme\/shop has 2 webhooks\. /)
})
