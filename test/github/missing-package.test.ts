/** The package `octokit` is optional: a program needs it only to use an Octokit, for example `delivery.octokit()`. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

/** Makes `octokit` a missing package for a program. */
const without = `
import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    return next(specifier === 'octokit' ? 'octokit-is-not-installed' : specifier, context)
  },
})`

const program = `
import { Hooks } from './src/index.ts'
import { inject, signedRequest } from './src/testing/index.ts'
const secret = 's'
const hooks = new Hooks({ secret, validateIp: false, logger: false, token: 'ghp_aTokenOfTheTests' })
hooks.hook('ping', () => 'pong')
hooks.hook('push', async (data, guid, delivery) => {
  await delivery.octokit().catch((error) => console.log(error.message, error.cause.code))
})
console.log(await (await inject(hooks, signedRequest('ping', { secret }))).text())
await inject(hooks, signedRequest('push', { secret }))`

test('without the package everything else works, and delivery.octokit() says what to install', async () => {
  const preload = `data:text/javascript,${encodeURIComponent(without)}`
  const child = spawn(process.execPath, ['--import', preload, '--input-type=module', '-e', program], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  expect((await text(child.stdout)).split('\n')).toEqual([
    'pong',
    'Talking to GitHub needs the package "octokit" beside hookserver: npm install octokit ERR_MODULE_NOT_FOUND',
    '',
  ])
})
