/** The package `yaml` is optional: a program needs it only for `delivery.config()`. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

/** Makes `yaml` a missing package for a program. */
const without = `
import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    return next(specifier === 'yaml' ? 'yaml-is-not-installed' : specifier, context)
  },
})`

const program = `
import { Hooks } from './src/index.ts'
import { LocalGitHub, run } from './src/testing/index.ts'
const github = await LocalGitHub.start({ token: 'a-token' })
github.addRepository('octo/hello')
const hooks = new Hooks({ validateSignature: false, logger: false, apiUrl: github.url, token: 'a-token' })
hooks.on('push', ({ config }) => config('bot.yml'))
const payload = { repository: { full_name: 'octo/hello' } }
const [absent] = await run(hooks, 'push', { payload })
github.route('GET', '/repos/{owner}/{repo}/contents/{path}', () => ({ headers: { 'content-type': 'text/plain' }, body: {} }))
const [present] = await run(hooks, 'push', { payload })
console.log(absent.outcome)
console.log(present.outcome, present.error.message, present.error.cause.code)
await github.close()`

test('without the package, a file of settings is an error that says what to install', async () => {
  const preload = `data:text/javascript,${encodeURIComponent(without)}`
  const child = spawn(process.execPath, ['--import', preload, '--input-type=module', '-e', program], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  expect((await text(child.stdout)).split('\n')).toEqual([
    'succeeded',
    'failed delivery.config() needs the package "yaml" beside hookserver: npm install yaml ERR_MODULE_NOT_FOUND',
    '',
  ])
})
