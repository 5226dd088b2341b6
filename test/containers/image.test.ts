/** The Dockerfile: the contents of the image, and the commands that it runs. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { commandIn, stagesOf, valuesIn } from './dockerfile.ts'
import { read, root } from './files.ts'
import { startCommand } from './server-in-container.ts'

const stages = stagesOf('Dockerfile')
const image = stages.at(-1) ?? []
const valuesOf = (name: string) => valuesIn(image, name)

test('the image starts empty, runs as user 65532, and gives this user the volume', () => {
  expect(valuesOf('FROM')).toEqual(['scratch'])
  expect(valuesOf('RUN')).toEqual([])
  expect(valuesOf('USER')).toEqual(['65532:65532'])
  expect(valuesOf('VOLUME')).toEqual(['/data'])
  expect(valuesOf('COPY')).toContain('--from=node --chown=65532:65532 /volume /data')
})

test('the program of the image is the one of the package', () => {
  const [entryPoint = ''] = valuesOf('ENTRYPOINT')
  const { bin } = JSON.parse(read('package.json'))
  expect(commandIn(entryPoint)).toEqual([
    '/usr/local/bin/node',
    `/opt/hookserver/node_modules/hookserver/${bin.hookserver}`,
  ])
})

test('the files that the image is built from exist, and contain no secret', () => {
  const lines = read('.dockerignore').split('\n')
  const included = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  expect(lines.filter((line) => line !== '' && !line.startsWith('#'))[0]).toBe('*')
  for (const file of included.filter((name) => !name.includes('*')))
    expect(existsSync(join(root, file)), file).toBe(true)
  const copied = stages.flat().flatMap(({ name, value }) => (name === 'COPY' ? value.split(' ').slice(0, -1) : []))
  const fromContext = copied.filter((file) => file.includes('.json') || file.includes('.npmrc'))
  for (const file of fromContext) expect(existsSync(join(root, file)), file).toBe(true)
})

test('the packages of the image have the versions of the tests', () => {
  const { dependencies } = JSON.parse(read('deploy/image/package.json'))
  const { devDependencies } = JSON.parse(read('package.json'))
  for (const [name, range] of Object.entries(dependencies)) expect(devDependencies[name], name).toBe(range)
})

test('the default command starts a server that the health check finds healthy until it ends', async () => {
  const [health = ''] = valuesOf('HEALTHCHECK')
  const [, ...check] = commandIn(health)
  const [command = ''] = valuesOf('CMD')
  const server = await startCommand({
    args: commandIn(command),
    env: { GITHUB_WEBHOOKS_KEY: 'a-test-secret-with-32-characters' },
  })
  const checkHealth = () => promisify(execFile)(process.execPath, check, { env: server.env })
  await checkHealth()
  server.child.kill('SIGTERM')
  expect(await once(server.child, 'close')).toEqual([0, null])
  await expect(checkHealth()).rejects.toMatchObject({ code: 1 })
})
