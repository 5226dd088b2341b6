import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { templateNames } from '../../../src/cli/init/templates.ts'
import { main } from '../../build.ts'
import { compileCache } from '../../compile-cache.ts'
import { project } from '../../server/service.ts'
import { hasTerminals, hookserver } from '../command.ts'

const init = (folder: string, ...flags: string[]) => hookserver(['init', folder, ...flags])
const read = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8')
const filesOfHandler = [
  ...['.env.example', '.gitignore', 'README.md', 'hooks.test.ts', 'hooks.ts', 'package.json', 'tsconfig.json'],
]

test('writes the files of a template, and lists them with the next commands', async () => {
  const folder = join(project(), 'my hooks')
  const { code, stdout, stderr } = await init(folder, '--template', 'handler', '--name', 'my-hooks')
  expect([code, stderr]).toEqual([0, ''])
  expect(readdirSync(folder).toSorted()).toEqual(filesOfHandler)
  expect(JSON.parse(read(folder, 'package.json'))).toMatchObject({ name: 'my-hooks', type: 'module' })
  expect(stdout).toMatch(/^ {2}created {6}hooks\.ts$/m)
  expect(stdout).toContain(`\n  cd '${relative(tmpdir(), folder)}'\n  npm install\n  npm test\n  npm run dev `)
})

test('uses the template that is named like the folder, or else the template named "handler"', async () => {
  const parent = project()
  await Promise.all([init(join(parent, 'bot'), '--yes'), init(join(parent, 'other'), '--yes')])
  expect(JSON.parse(read(join(parent, 'bot'), 'package.json')).dependencies).toHaveProperty('octokit')
  expect(JSON.parse(read(join(parent, 'other'), 'package.json')).dependencies).not.toHaveProperty('octokit')
})

test('writes the files of an image, with a .dockerignore', async () => {
  const folder = join(project(), 'docker')
  expect((await init(folder, '--yes')).code).toBe(0)
  const files = readdirSync(folder).toSorted()
  expect(files).toEqual([...filesOfHandler, '.dockerignore', 'Dockerfile', 'compose.yaml'].toSorted())
})

test('changes nothing the second time', async () => {
  const folder = join(project(), 'hooks')
  await init(folder, '--yes')
  const { code, stdout } = await init(folder, '--yes')
  expect(code).toBe(0)
  expect(stdout.match(/^ {2}kept /gm)).toHaveLength(filesOfHandler.length)
})

test.each(templateNames)(
  'the README of the template %s names the setting for a proxy, whose deliveries get 403',
  async (name) => {
    const folder = join(project(), name)
    expect((await init(folder, '--template', name, '--name', 'hooks')).code).toBe(0)
    expect(read(folder, 'README.md')).toMatch(/set `HOOKSERVER_TRUST_PROXY` in `(\.env|compose\.yaml)`/)
  },
)

describe('in a folder that has files', () => {
  const existing = { 'hooks.ts': 'mine', 'README.md': 'mine', '.gitignore': 'mine/', 'package.json': '{"name":"mine"}' }

  test('lists the files in the way, writes nothing and exits with 1', async () => {
    const folder = project(existing)
    for (const flags of [['--template', 'handler'], ['--yes']]) {
      const { code, stdout, stderr } = await init(folder, '--name', 'hooks', ...flags)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain('would be overwritten: README.md, hooks.ts.')
      expect(stderr).toContain('Nothing was written. Pass --existing keep or --existing overwrite')
    }
    expect(Object.fromEntries(readdirSync(folder).map((file) => [file, read(folder, file)]))).toEqual(existing)
  })

  test('extends files that begin with a byte order mark', async () => {
    const marked = { '.gitignore': '\ufeffnode_modules/\r\n', 'package.json': '\ufeff{"name":"mine"}' }
    const folder = project(marked)
    const { code, stdout } = await init(folder, '--yes', '--name', 'hooks')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}updated {6}package\.json$/m)
    expect(JSON.parse(read(folder, 'package.json'))).toMatchObject({ name: 'mine', type: 'module' })
    expect(read(folder, '.gitignore').match(/node_modules/g)).toHaveLength(1)
  })

  test.each(['keep', 'overwrite'] as const)(
    'can %s the files in the way, and creates or extends all others',
    async (answer) => {
      const folder = project(existing)
      expect((await init(folder, '--yes', '--name', 'hooks', '--existing', answer)).code).toBe(0)
      expect(readdirSync(folder).toSorted()).toEqual(filesOfHandler)
      for (const file of ['hooks.ts', 'README.md']) expect(read(folder, file) === 'mine').toBe(answer === 'keep')
      expect(JSON.parse(read(folder, 'package.json'))).toMatchObject({ name: 'mine', dependencies: expect.anything() })
      expect(read(folder, '.gitignore')).toMatch(/^mine\/\nnode_modules\/\n\.env\n/)
    },
  )

  test('does not write through a symbolic link, or into a folder in the place of a file', async () => {
    const folder = project({ target: 'mine' })
    symlinkSync(join(folder, 'target'), join(folder, 'hooks.ts'))
    const { code, stderr } = await init(folder, '--yes', '--name', 'hooks', '--existing', 'overwrite')
    expect([code, stderr]).toEqual([1, expect.stringContaining('hooks.ts: it exists, and is not a regular file')])
    expect(readdirSync(folder)).toHaveLength(2)
    mkdirSync(join(folder, 'README.md'))
    expect((await init(folder, '--yes', '--name', 'hooks')).stderr).toContain('README.md: it exists, and is not')
  })
})

test('--dry-run lists the files, and writes nothing', async () => {
  const folder = project({ 'hooks.ts': 'mine' })
  const { code, stdout } = await init(folder, '--yes', '--name', 'hooks', '--dry-run')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}overwrite {4}hooks\.ts\n {2}create {7}package\.json$/m)
  expect(stdout).toMatch(/\nDry run: nothing was written\.\n$/)
  expect(readdirSync(folder)).toEqual(['hooks.ts'])
  await init(join(folder, 'new'), '--yes', '--dry-run')
  expect(existsSync(join(folder, 'new'))).toBe(false)
})

describe('does not write anything, and explains why,', () => {
  test.each([
    ['if the path is a file', ['hooks.ts', '--yes'], 2, /hooks\.ts exists, and is not a folder: choose another folder/],
    ['if a part of the path is a file', ['hooks.ts/new', '--yes'], 1, /Cannot write .*ENOTDIR.* Nothing was written/],
    ['if npm forbids the name of the folder', ['My Hooks', '--yes'], 2, /"My Hooks" cannot be the name of the package/],
    ['if it cannot ask for the template', ['new'], 2, /name the template, or pass --yes for the defaults/],
    ['if there is no such template', ['new', '--template', 'x'], 2, /choices are handler, bot, deploy, postgres/],
  ])('%s', async (_, [dir = '', ...flags], code, message) => {
    const folder = project({ 'hooks.ts': 'mine' })
    const ended = await init(join(folder, dir), ...flags)
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) })
    expect(readdirSync(folder)).toEqual(['hooks.ts'])
  })

  test('if the user may not write into the folder', () => {
    const folder = project()
    chmodSync(folder, 0o555)
    const unprivileged = process.getuid?.() === 0 ? ['--import', 'data:text/javascript,process.setuid(65534)'] : []
    const args = [...unprivileged, main, 'init', join(folder, 'new'), '--yes']
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringMatching(/Cannot write .*EACCES.*\. Nothing was written/)])
  })
})

describe.runIf(hasTerminals)('on a terminal', () => {
  /** Answers the questions one after the other. */
  async function answer(cwd: string, args: readonly string[], answers: readonly string[]): Promise<string> {
    const command = ['stty -echo;', process.execPath, main, 'init', ...args].join(' ')
    const env = { ...process.env, ...compileCache, TERM: 'dumb' }
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env })
    const left = [...answers]
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const _ of text.matchAll(/\] /g)) child.stdin.write(`${left.shift()}\n`)
    })
    await once(child, 'close')
    expect(left).toEqual([])
    return output
  }

  test('asks for the folder and the template, and asks again after an unknown template', async () => {
    const parent = project()
    const output = await answer(parent, [], ['new', 'bott', 'bot'])
    expect(output).toMatch(/Folder \[\.\] [\s\S]* {2}docker {4}.*\s+Template \[handler\] /)
    expect(JSON.parse(read(join(parent, 'new'), 'package.json')).dependencies).toHaveProperty('octokit')
  })

  test('asks nothing with --yes, not even about files in the way', async () => {
    const folder = project({ 'hooks.ts': 'mine' })
    expect(await answer(folder, ['.', '--name', 'hooks', '--yes'], [])).toContain(
      'Nothing was written. Pass --existing',
    )
    expect(readdirSync(folder)).toEqual(['hooks.ts'])
  })

  test.each([
    ['keep', 'mine', true],
    ['overwrite', undefined, true],
    ['', 'mine', false],
  ])('asks about files in the way: %j', async (typed, text, written) => {
    const folder = project({ 'hooks.ts': 'mine' })
    const output = await answer(folder, ['.', '--template', 'handler', '--name', 'hooks'], [typed])
    expect(output).toContain('1 file in . would be overwritten: hooks.ts')
    if (text !== undefined) expect(read(folder, 'hooks.ts')).toBe(text)
    else expect(read(folder, 'hooks.ts')).toContain('new Hooks()')
    expect(existsSync(join(folder, 'package.json'))).toBe(written)
    if (!written) expect(output).toContain('Nothing was written.')
  })
})
