/** `send` without flags, in the folder of `serve --dev`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { privateKey } from '../../probot/scene.ts'
import { project, ServedProcess } from '../../server/service.ts'
import { hookserver } from '../command.ts'

/** The flags of a server in development mode that needs no supervisor, because it runs no handlers. */
const dev = ['--dev', '--role', 'receiver']

const module = "import { Hooks } from 'hookserver'\nexport default new Hooks()"
const own =
  "import { Hooks } from 'hookserver'\nexport default new Hooks({ path: '/own', secret: process.env.SHOP_SECRET })"
const app = 'export default (app) => app.on("push", () => {})'

const appVariables = { APP_ID: '1', PRIVATE_KEY: privateKey.replaceAll('\n', '\\n'), WEBHOOK_SECRET: 'that of an app' }

interface Case {
  files: Record<string, string>
  args?: readonly string[]
  env?: Record<string, string>
}

test.each<[name: string, Case]>([
  ['its port and its path', { files: { 'hooks.ts': module }, args: ['--path', '/api/hooks'] }],
  [
    'its secret in a file',
    { files: { 'hooks.ts': module, secret: 'that of the file\n' }, args: ['--secret-file', 'secret'] },
  ],
  [
    'the variable with the secret of its module, and the path of the module',
    { files: { 'hooks.ts': own }, env: { SHOP_SECRET: 'that of the shop' } },
  ],
  ['the path and the secret of a Probot app', { files: { 'hooks.ts': app }, env: appVariables }],
])('finds %s', async (_name, { files, args = [], env = {} }) => {
  const folder = project({ ...files, 'package.json': '{ "type": "module" }' })
  // The secret of an earlier server, which was started without these settings.
  mkdirSync(join(folder, '.hookserver'), { mode: 0o700 })
  writeFileSync(join(folder, '.hookserver/secret'), 'that-of-an-earlier-server', { mode: 0o600 })
  const served = new ServedProcess(folder, ['hooks.ts', ...dev, ...args], env)
  const url = await served.url()
  const { code, stdout } = await hookserver(['send', 'push', '--json'], env, { cwd: folder })
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { to: url, status: 202 }])
})

test('names the variable of the secret if it is not set for send', async () => {
  const folder = project({ 'hooks.ts': own })
  await new ServedProcess(folder, ['hooks.ts', ...dev], { SHOP_SECRET: 'that of the shop' }).url()
  expect(await hookserver(['send', 'push'], {}, { cwd: folder })).toMatchObject({
    stderr: 'hookserver: The server has its secret from the variable SHOP_SECRET: set it here too, or pass --secret\n',
  })
})

test('ignores a server that has ended', async () => {
  const folder = project({ 'hooks.ts': module })
  const served = new ServedProcess(folder, ['hooks.ts', ...dev])
  await served.url()
  served.child.kill('SIGTERM')
  await served.ended
  const { stdout } = await hookserver(['send', 'push', '--json'], {}, { cwd: folder })
  expect(JSON.parse(stdout)).toMatchObject({ to: 'http://127.0.0.1:8000/hooks' })
})
