/** `hookserver serve` traces its deliveries without a call in the module. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { project, ServedProcess, secret } from '../server/service.ts'

test('serve records spans if an SDK is registered', async () => {
  const module = `
    import { Hooks } from 'hookserver'
    const hooks = new Hooks()
    hooks.hook('push', () => 'Thanks')
    export default hooks`
  const folder = project({ 'hooks.ts': module })
  const file = join(folder, 'spans.txt')
  const env = {
    GITHUB_WEBHOOKS_KEY: secret,
    NODE_OPTIONS: `--import=${fileURLToPath(new URL('sdk.js', import.meta.url))}`,
    SPANS: file,
  }
  const served = new ServedProcess(folder, ['hooks.ts', '--validate-ip', 'false'], env)
  expect((await fetch(await served.url(), signedRequest('push', { secret }))).status).toBe(202)
  const names = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').sort() : [])
  const expected = ['hookserver attempt hook:push', 'hookserver receive', 'hookserver store']
  await expect.poll(names).toEqual(expected)
})
