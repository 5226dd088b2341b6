/** The image of the template `docker`: it has the properties of our own image, and starts a server that works. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
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

/** Unlike in a shell, `*` matches names that begin with a dot. */
const expressionOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replaceAll('.', '\\.').replaceAll(/\*\*\/|\*/g, (wild) => (wild === '*' ? '[^/]*' : '(?:.*/)?'))}$`,
  )

/** Whether Docker copies a file: the last pattern that matches the file, or a folder of it, decides. */
function isCopied(ignoreFile: string, file: string): boolean {
  const parts = file.split('/')
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  const patterns = ignoreFile.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const last = patterns.findLast((pattern) => paths.some((path) => expressionOf(pattern.replace('!', '')).test(path)))
  return last?.startsWith('!') ?? true
}

describe.each(['templates/docker/dockerignore', 'examples/deploy/.dockerignore'])('the image with %s', (ignoreFile) => {
  const secrets = ['.env', '.env.local', 'bot.private-key.pem', 'hookserver.token', '.hookserver/hookserver.token']
  const databases = ['hookserver.db', 'hookserver.db-wal', 'hookserver.db-shm']
  const left = [...secrets, ...databases, '.git/config', 'node_modules/left-pad/index.js']

  test.each([...left, ...[...secrets, ...databases].map((file) => `src/${file}`)])('does not contain %s', (file) => {
    expect(isCopied(read(ignoreFile), file)).toBe(false)
  })

  test.each(['hooks.test.ts', 'src/bots/label.test.ts'])('does not contain the test %s', (file) => {
    expect(isCopied(read(ignoreFile), file)).toBe(false)
  })

  test.each(['package.json', 'package-lock.json', 'hooks.ts', 'src/label.ts', 'src/bots/label.json'])(
    'contains %s',
    (file) => {
      expect(isCopied(read(ignoreFile), file)).toBe(true)
    },
  )
})

test('the image of the template leaves out all that git ignores', () => {
  const ignored = read('templates/common/gitignore')
    .split('\n')
    .filter((line) => /^[^#!]/.test(line))
  for (const pattern of ignored) {
    const file = pattern.replace(/\/$/, '/file').replace('*', 'name')
    expect(isCopied(read('templates/docker/dockerignore'), `src/${file}`), file).toBe(false)
  }
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
