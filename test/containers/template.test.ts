/** The image of the template `docker`: it has the properties of our own image, and starts a server that works. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { signedRequest } from '../../src/testing/index.ts'
import { commandIn, stagesOf, valuesIn } from './dockerfile.ts'
import { read, root } from './files.ts'
import { startCommand } from './server-in-container.ts'

const [image = [], own = []] = ['templates/docker/Dockerfile', 'Dockerfile'].map((file) => stagesOf(file).at(-1) ?? [])
const valueIn = (stage: typeof image, name: string) => valuesIn(stage, name).at(-1) ?? ''

test('the image of the template has the user, the volume, the ports and the health check of our own image', () => {
  for (const name of ['USER', 'WORKDIR', 'VOLUME', 'EXPOSE'])
    expect(valueIn(image, name), name).toBe(valueIn(own, name))
  const healthCheck = valueIn(own, 'HEALTHCHECK').replace('/usr/local/bin/node', 'node')
  expect(valueIn(image, 'HEALTHCHECK')).toBe(healthCheck)
  expect(valuesIn(image, 'RUN')).toContain('mkdir /data && chown 65532:65532 /data')
})

test('the example of a Dockerfile has the health check and the ports of the template', () => {
  const [example = []] = stagesOf('examples/deploy/Dockerfile')
  for (const name of ['EXPOSE', 'HEALTHCHECK']) expect(valueIn(example, name), name).toBe(valueIn(image, name))
})

test('the image of the template contains no secret, no database and no tests', () => {
  const lines = read('templates/docker/dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(lines).toEqual(['*', '!package.json', '!package-lock.json', '!*.ts', '!src', '*.test.ts'])
})

test('the command of the template starts a server that stores deliveries, and that its health check finds healthy', async () => {
  const [node, program, ...args] = commandIn(valueIn(image, 'CMD'))
  const { bin } = JSON.parse(read('package.json'))
  expect([node, program]).toEqual(['node', `/app/node_modules/hookserver/${bin.hookserver}`])
  const secret = 'a-test-secret-with-32-characters'
  const server = await startCommand({
    args: args.map((arg) => arg.replace(/^\/app/, join(root, 'templates/docker'))),
    env: { GITHUB_WEBHOOKS_KEY: secret },
  })
  const reply = await fetch(`http://127.0.0.1:${server.ports[8000]}/hooks`, signedRequest('push', { secret }))
  expect(reply.status).toBe(202)
  const [, ...check] = commandIn(valueIn(image, 'HEALTHCHECK'))
  await promisify(execFile)(process.execPath, check, { env: server.env })
  server.child.kill('SIGTERM')
  expect(await once(server.child, 'close')).toEqual([0, null])
})
