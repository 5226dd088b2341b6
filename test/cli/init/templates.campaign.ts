/** Creates a project from each template of the packed hookserver, and runs the commands in the project's README. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { templateNames } from '../../../src/cli/init/templates.ts'
import { signedRequest } from '../../../src/testing/index.ts'
import { environment, installPacked, linkPackages, manifestIn, runIn } from './packed.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'hookserver-templates-'))
const packages: Record<(typeof templateNames)[number], string[]> = {
  handler: ['hookserver'],
  bot: ['hookserver', 'octokit'],
  deploy: ['hookserver'],
  postgres: ['hookserver', 'pg'],
  docker: ['hookserver'],
}

/** The projects find the packages in the folder above them, so that the type check reads the types only once. */
beforeAll(async () => {
  installPacked(home)
  linkPackages(home, ['octokit', 'pg', '@types/node'])
  const commands = templateNames.map((one) => runIn(home, 'node_modules/.bin/hookserver', 'init', one, '--yes'))
  for (const { code, stderr } of await Promise.all(commands)) expect([code, stderr]).toEqual([0, ''])
})
afterAll(() => rmSync(home, { recursive: true }))

test('all templates pass the type check', async () => {
  const files = templateNames.flatMap((template) => [`${template}/hooks.ts`, `${template}/hooks.test.ts`])
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ extends: './handler/tsconfig.json', files }))
  const types = await runIn(home, join(repository, 'node_modules/.bin/tsc'), '-p', '.')
  expect(types).toEqual({ code: 0, stdout: '', stderr: '' })
}, 120_000)

test('the guide to the first bot shows the handlers of the template', () => {
  const program = readFileSync(join(repository, 'templates/bot/hooks.ts'), 'utf8')
  const guide = readFileSync(join(repository, 'docs/guides/first-bot.md'), 'utf8')
  expect(guide).toContain(`\`\`\`ts\n// hooks.ts\n${program}\`\`\`\n`)
})

describe.each(templateNames)('the template %s', (template) => {
  const folder = join(home, template)

  test('depends on this version of hookserver, and on the packages that it needs', () => {
    const own = manifestIn(repository)
    const { dependencies, devDependencies } = manifestIn(folder)
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
    expect(Object.keys(dependencies).toSorted()).toEqual(packages[template].toSorted())
    expect(dependencies.hookserver).toBe(`^${version}`)
    for (const [name, range] of Object.entries(devDependencies)) expect(range).toBe(own.devDependencies[name])
  })

  test('passes its own tests', async () => {
    const tests = await runIn(folder, 'npm', 'test')
    expect(tests).toMatchObject({ code: 0, stdout: expect.stringMatching(/\bpass [23]\n/) })
  })

  test('generates a secret with npm run dev, and accepts a signed ping', async () => {
    const args = ['run', 'dev', '--', '--port', '0', '--admin-port', '0']
    const child = spawn('npm', args, {
      cwd: folder,
      env: environment(),
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(child, 'close')
    onTestFinished(async () => {
      process.kill(-(child.pid as number), 'SIGKILL') // with the processes that npm has started
      await ended
    })
    const url = await receivingAt(child.stderr)
    const secret = readFileSync(join(folder, '.hookserver/secret'), 'utf8').trim()
    const reply = await fetch(url, signedRequest('ping', { secret }))
    expect([reply.status, await reply.text()]).toEqual([202, 'Accepted'])
  })

  test('ignores secrets and the files of the server in git', async () => {
    await runIn(folder, 'git', 'init', '--quiet')
    const { stdout } = await runIn(folder, 'git', 'status', '--porcelain', '--untracked-files=all')
    const seen = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.slice('?? '.length))
    const written = readdirSync(join(repository, 'templates', template)).flatMap((file) => {
      if (file === 'env.example') return []
      return file === 'dockerignore' ? ['.dockerignore'] : [file]
    })
    const common = ['.env.example', '.gitignore', 'package.json', 'tsconfig.json']
    expect(seen.toSorted()).toEqual([...written, ...common].toSorted())
  })
})

/** The address in the log of a server. @throws {Error} with the log if the server ends first. */
async function receivingAt(log: NodeJS.ReadableStream): Promise<string> {
  const lines: string[] = []
  for await (const line of createInterface(log)) {
    lines.push(line)
    const { msg, url } = line.startsWith('{') ? JSON.parse(line) : {}
    if (msg?.startsWith('Receiving')) return url
  }
  throw new Error(`The server ended:\n${lines.join('\n')}`)
}
