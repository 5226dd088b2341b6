import { createServer } from 'node:http'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, type StandardSchemaV1, Unrecoverable } from '../../src/index.ts'
import { type LocalGitHub, run } from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { startGitHub } from '../github/bot-scene.ts'
import { Recorder } from '../recorder.ts'
import { runsOf } from './check-scene.ts'

const settings = v.object({ label: v.string(), paths: v.optional(v.array(v.string()), []) })

/** A local GitHub with these files, by repository and path: `octo/hello/.github/bot.yml`. */
async function withFiles(files: Record<string, string>) {
  const github = await startGitHub()
  const token = github.addToken()
  github.addRepository('octo/hello')
  for (const [name, text] of Object.entries(files)) await write(github, token, name, text)
  github.requests.length = 0
  const reader = new Hooks({ validateSignature: false, logger: false, apiUrl: github.url, token })
  const read = (file: string, schema?: StandardSchemaV1) => readWith(reader, file, schema)
  return { github, token, read, change: (name: string, text: string) => write(github, token, name, text) }
}

async function readWith(hooks: Hooks, file: string, schema?: StandardSchemaV1) {
  const handler = ({ config }: { config: (file: string, schema?: StandardSchemaV1) => Promise<unknown> }) =>
    config(file, schema)
  hooks.on('issues', handler as never)
  const [done] = await run(hooks, 'issues.opened', { payload: { repository: { full_name: 'octo/hello' } } as never })
  hooks.off('issues', handler as never)
  if (done?.outcome === 'succeeded') return done.returned
  expect(done?.outcome).toBe(done?.error instanceof Unrecoverable ? 'dead' : 'failed')
  throw done?.error
}

async function write(github: LocalGitHub, token: string, name: string, text: string) {
  const [owner, repo, ...path] = name.split('/')
  github.addRepository(`${owner}/${repo}`)
  const url = `${github.url}/repos/${owner}/${repo}/contents/${path.join('/')}`
  const headers = { authorization: `Bearer ${token}` }
  const { sha } = (await (await fetch(url, { headers })).json()) as { sha?: string }
  const body = JSON.stringify({ message: 'Write', content: Buffer.from(text).toString('base64'), sha })
  expect((await fetch(url, { method: 'PUT', headers, body })).ok).toBe(true)
}

const answersOf = ({ requests }: LocalGitHub) => requests.map(({ path, status }) => `${path.split('/')[3]} ${status}`)

describe('delivery.config()', () => {
  test('reads YAML and JSON of the repository', async () => {
    const yaml = '# a comment\nlabel: bug\npaths: [docs/**]\nyes: no\n'
    const { read } = await withFiles({
      ...{ 'octo/hello/.github/bot.yml': yaml, 'octo/hello/.github/bot.yaml': '' },
      'octo/hello/.github/bot.json': '{"label":"bug"}',
    })
    expect(await read('bot.yml')).toEqual({ label: 'bug', paths: ['docs/**'], yes: 'no' })
    expect(await read('bot.json')).toEqual({ label: 'bug' })
    expect(await read('bot.yaml')).toEqual({})
  })

  test("reads the file of the owner's repository .github if the repository has none", async () => {
    const { github, read } = await withFiles({ 'octo/.github/.github/bot.yml': 'label: shared' })
    expect(await read('bot.yml')).toEqual({ label: 'shared' })
    expect(answersOf(github)).toEqual(['hello 404', '.github 200'])
  })

  test('is undefined without a file, also with a schema', async () => {
    const { read } = await withFiles({})
    expect([await read('bot.yml'), await read('bot.yml', settings)]).toEqual([undefined, undefined])
  })

  test('returns the output of the schema', async () => {
    const { read } = await withFiles({ 'octo/hello/.github/bot.yml': 'label: bug' })
    expect(await read('bot.yml', settings)).toEqual({ label: 'bug', paths: [] })
    const late = v.pipeAsync(
      v.object({ label: v.string() }),
      v.transformAsync(async ({ label }) => label),
    )
    expect(await read('bot.yml', late)).toBe('bug')
  })

  test('asks whether a file has changed, and reads it again only then', async () => {
    const name = 'octo/hello/.github/cached.yml'
    const { github, read, change } = await withFiles({ [name]: 'label: one' })
    const first = (await read('cached.yml')) as { label: string }
    first.label = 'changed by a handler'
    expect(await read('cached.yml')).toEqual({ label: 'one' })
    await change(name, 'label: two')
    expect(await read('cached.yml')).toEqual({ label: 'two' })
    const reads = github.requests.filter(({ headers }) => headers.accept === 'application/vnd.github.raw+json')
    expect(reads.map(({ status }) => status)).toEqual([200, 304, 200])
  })

  test('has no settings for a caller that GitHub does not show a known file', async () => {
    const { github, read } = await withFiles({ 'octo/hello/.github/secret.yml': 'label: one' })
    expect(await read('secret.yml')).toEqual({ label: 'one' })
    github.failAt(/hello.*secret\.yml/, { status: 404 })
    expect(await read('secret.yml')).toBeUndefined()
  })

  test('keeps at most 256 files', async () => {
    const github = await startGitHub()
    github.addRepository('octo/hello')
    const asked: boolean[] = []
    github.route('GET', '/repos/{owner}/{repo}/contents/{path}', ({ headers }) => {
      asked.push(headers['if-none-match'] !== undefined)
      return { headers: { etag: '"x"', 'content-type': 'text/plain' }, body: {} }
    })
    const hooks = new Hooks({ validateSignature: false, logger: false, apiUrl: github.url, token: github.addToken() })
    for (let file = 0; file <= 256; file++) await readWith(hooks, `${file}.yml`)
    asked.length = 0
    for (const file of [256, 1, 0]) await readWith(hooks, `${file}.yml`)
    expect(asked).toEqual([true, true, false])
  })

  test('fails with the error of GitHub', async () => {
    const { github, read } = await withFiles({})
    github.failAt(/contents/, { status: 401, body: { message: 'Bad credentials' } })
    await expect(read('bot.yml')).rejects.toMatchObject({ status: 401 })
  })

  test.each(['bot', 'bot.toml', '/bot.yml', '../bot.yml', 'a/../bot.yml', ''])('rejects the file %j', async (file) => {
    const { read } = await withFiles({})
    await expect(read(file)).rejects.toThrow('a file in the folder .github that ends with .yml, .yaml or .json, got')
  })
})

describe('_extends', () => {
  const own = 'octo/hello/.github/bot.yml'

  test.each([
    ['shared', 'octo/shared/.github/bot.yml'],
    ['Octo/shared', 'octo/shared/.github/bot.yml'],
    ['shared:presets/strict.yml', 'octo/shared/presets/strict.yml'],
    ['octo/shared:presets/strict.yml', 'octo/shared/presets/strict.yml'],
  ])('%s adds the settings of %s that the file lacks', async (text, base) => {
    const { read } = await withFiles({ [own]: `_extends: ${text}\nlabel: own`, [base]: 'label: base\ncolor: red' })
    expect(await read('bot.yml')).toEqual({ label: 'own', color: 'red' })
  })

  test('may be a list, whose first file has precedence, together with those that it extends', async () => {
    const { read } = await withFiles({
      [own]: '_extends: [one, two]',
      'octo/one/.github/bot.yml': '_extends: three\na: 1',
      'octo/two/.github/bot.yml': 'a: 2\nb: 2\nd: 2',
      'octo/three/.github/bot.yml': 'a: 3\nb: 3\nc: 3',
    })
    expect(await read('bot.yml')).toEqual({ a: 1, b: 3, c: 3, d: 2 })
  })

  test('two files may extend the same one', async () => {
    const { github, read } = await withFiles({
      [own]: '_extends: [one, two]',
      'octo/one/.github/bot.yml': '_extends: base\na: one',
      'octo/two/.github/bot.yml': '_extends: base\nb: two',
      'octo/base/.github/bot.yml': 'b: base\nc: base',
    })
    expect(await read('bot.yml')).toEqual({ a: 'one', b: 'base', c: 'base' })
    expect(answersOf(github)).toEqual(['hello 200', 'one 200', 'base 200', 'two 200'])
  })

  test('a file may not extend itself indirectly', async () => {
    const { read } = await withFiles({ [own]: '_extends: one', 'octo/one/.github/bot.yml': '_extends: hello' })
    const message = '.github/bot.yml of octo/one, line 1: _extends: .github/bot.yml of octo/hello extends itself'
    await expect(read('bot.yml')).rejects.toThrow(message)
  })

  test('at most 11 files extend each other', async () => {
    const chain = Array.from({ length: 11 }, (_, index) => [
      `octo/r${index}/.github/bot.yml`,
      `_extends: r${index + 1}`,
    ])
    const { read } = await withFiles({ [own]: '_extends: r0', ...Object.fromEntries(chain) })
    await expect(read('bot.yml')).rejects.toThrow('more than 10 files extend each other')
  })

  test.each([
    [
      'a: 1\n_extends: none',
      'line 2: _extends: .github/bot.yml of octo/none does not exist, or the App has no access to it',
    ],
    ['_extends: hello', 'line 1: _extends: .github/bot.yml of octo/hello extends itself'],
    ['_extends: acme/shared', 'line 1: _extends: must be a repository of octo, got "acme/shared"'],
    ['_extends: 5', 'line 1: _extends: must be a text, or a list of texts'],
    ['_extends: a/b/c', 'line 1: _extends: must be "repo", "owner/repo", or one of them with ":path'],
  ])('%j is an error', async (text, message) => {
    const { read } = await withFiles({ [own]: text })
    await expect(read('bot.yml')).rejects.toThrow(`Invalid configuration: .github/bot.yml of octo/hello, ${message}`)
  })

  test('does not request a file of another owner, directly or indirectly', async () => {
    const { github, read } = await withFiles({
      ...{ [own]: '_extends: base', 'octo/base/.github/bot.yml': '_extends: acme/private:secrets.json' },
      'acme/private/secrets.json': '"a secret"',
    })
    const message = '.github/bot.yml of octo/base, line 1: _extends: must be a repository of octo'
    await expect(read('bot.yml')).rejects.toThrow(message)
    expect(answersOf(github)).toEqual(['hello 200', 'base 200'])
  })

  test.each(['..', '.', 'octo/..', '..:a.yml', 'base:../a.yml', 'base:a/./b.yml'])('rejects %j', async (text) => {
    const { github, read } = await withFiles({ [own]: `_extends: "${text}"` })
    await expect(read('bot.yml')).rejects.toThrow('_extends: must be "repo", "owner/repo", or one of them')
    expect(answersOf(github)).toEqual(['hello 200'])
  })
})

describe('an invalid file is an error that a retry does not repair', () => {
  const problems: [file: string, text: string, message: string][] = [
    ['bot.yml', 'label: bug\nlabel: bug', 'line 2: Map keys must be unique'],
    ['bot.yml', 'a:\n  - b: 1\n    c: 2\n    b: 3\na: 4', 'line 4: Map keys must be unique'],
    ['bot.yml', '{a: 1, "b": 2, b: 3}', 'line 1: Map keys must be unique'],
    ['bot.yml', 'label: "bug', 'line 1: Missing closing "quote'],
    ['bot.yml', '- a\n- b', 'line 1: must be an object with names and values'],
    ['bot.yml', `a: &a [1]\nb: [${'*a, '.repeat(101)}]`, ': Excessive alias count'],
    ['bot.json', '{\n  "label": "bug",\n}', 'line 3: '],
    ['bot.json', 'label: bug', ': Unexpected token'],
    ['bot.json', '', ': Unexpected end of JSON input'],
  ]
  test.each(problems)('%s with %j', async (file, text, message) => {
    const { read } = await withFiles({ [`octo/hello/.github/${file}`]: text })
    const place = `.github/${file} of octo/hello`
    await expect(read(file)).rejects.toThrow(
      `Invalid configuration: ${place}${message.startsWith(':') ? '' : ', '}${message}`,
    )
  })

  test.each([
    ['too long', `a: ${'b'.repeat(65_534)}`, /octo\/hello: must have at most 65536 characters$/],
    ['nested too deeply', '- '.repeat(30_000), /octo\/hello, line 1: Maximum call stack size exceeded$/],
  ])('a text that is %s', async (_how, text, message) => {
    const { read } = await withFiles({ 'octo/hello/.github/bot.yml': text })
    await expect(read('bot.yml')).rejects.toThrow(message)
  })

  test('a file that does not end is not read to its end', async () => {
    const closed = Promise.withResolvers<void>()
    const server = createServer((_request, response) => {
      response.on('close', closed.resolve).writeHead(200, { 'content-type': 'application/vnd.github.raw+json' })
      const write = () => {
        while (!response.destroyed && response.write('# endless\n'.repeat(1000)));
      }
      response.on('drain', write)
      write()
    })
    const apiUrl = await listen(server)
    onTestFinished(() => stop(server))
    const hooks = new Hooks({ validateSignature: false, logger: false, apiUrl, token: 'token' })
    await expect(readWith(hooks, 'bot.yml')).rejects.toThrow('must have at most 65536 characters')
    await closed.promise
  })

  test.each([
    ['bot.yml', 'paths: []\nlabel:\n  - 5'],
    ['bot.json', '{\n  "label": 5\n}'],
  ])('%s with a value that the schema rejects has its line', async (file, text) => {
    const { read } = await withFiles({ [`octo/hello/.github/${file}`]: text })
    const error = await read(file, settings).catch((caught: Error) => caught)
    expect(String(error)).toMatch(
      new RegExp(`Invalid configuration: .github/${file} of octo/hello, line 2: label: Invalid type: Expected string`),
    )
  })

  test('each value that the schema rejects has a line, in the file that sets it', async () => {
    const { read } = await withFiles({
      'octo/hello/.github/bot.yml': '_extends: base\npaths:\n  - a\n  - 5\n',
      'octo/base/.github/bot.yml': 'paths: []\nlabel: {}\n',
    })
    const error = (await read('bot.yml', settings).catch((caught: Error) => caught)) as Error
    expect(error.message.split('\n')).toEqual([
      expect.stringContaining('.github/bot.yml of octo/base, line 2: label: Invalid type'),
      expect.stringContaining('.github/bot.yml of octo/hello, line 4: paths.1: Invalid type'),
    ])
  })

  test('names of values may be objects with a key, and a schema may be a function', async () => {
    const { read } = await withFiles({ 'octo/hello/.github/bot.yml': 'paths:\n  - a\n  - b\n' })
    const issues = [{ message: 'is a letter', path: [{ key: 'paths' }, { key: 1 }] }, { message: 'is no bot' }]
    const standard = { version: 1, vendor: 'tests', validate: async () => ({ issues }) } as const
    const schema: StandardSchemaV1 = Object.assign(() => 'a type of ArkType', { '~standard': standard })
    await expect(read('bot.yml', schema)).rejects.toThrow(
      'Invalid configuration: .github/bot.yml of octo/hello, line 3: paths.1: is a letter\n' +
        '.github/bot.yml of octo/hello: is no bot',
    )
  })

  test('a missing value names the file', async () => {
    const { read } = await withFiles({ 'octo/hello/.github/bot.yml': 'paths: []' })
    await expect(read('bot.yml', settings)).rejects.toThrow('.github/bot.yml of octo/hello: label: Invalid key')
  })
})

describe('with the option check, an invalid file is a failed check run', () => {
  const sha = 'a'.repeat(40)

  /** Reads the file `bot.yml` for a push, and returns the check runs of its commit. */
  async function pushed(files: Record<string, string>, more: object = {}, options: object = { check: true }) {
    const { github } = await withFiles(files)
    const installations = [{ id: 5, repositories: ['octo/hello', 'octo/base'] }]
    const app = github.addApp({ id: 3, slug: 'bot', installations })
    const logger = new Recorder()
    const hooks = new Hooks({ validateSignature: false, logger, apiUrl: github.url, app })
    hooks.on('*', { attempts: 1 }, ({ config }) => config('bot.yml', settings, options))
    const repository = { full_name: 'octo/hello', default_branch: 'main' }
    const payload = { ref: 'refs/heads/main', after: sha, installation: { id: 5 }, repository, ...more }
    await github.deliver('push', payload as never)
    const [done] = await run(hooks, 'push', { payload: payload as never })
    return { github, done, logger, runs: await runsOf(github, sha) }
  }

  test('at the commit of a push to the default branch', async () => {
    const { done, runs } = await pushed({ 'octo/hello/.github/bot.yml': 'paths: []\nlabel: {}' })
    expect(done?.error).toBeInstanceOf(Unrecoverable)
    const summary = expect.stringMatching(/^- .github\/bot.yml of octo\/hello, line 2: label: Invalid type/)
    const output = { title: 'Invalid configuration', summary }
    expect(runs).toMatchObject([{ name: '.github/bot.yml', conclusion: 'failure', output }])
  })

  const extending = { 'octo/hello/.github/bot.yml': '_extends: base', 'octo/base/.github/bot.yml': '- a' }
  test.each<[string, Record<string, string>, object, object]>([
    ['without the option', { 'octo/hello/.github/bot.yml': '- a' }, {}, {}],
    ['for another branch', { 'octo/hello/.github/bot.yml': '- a' }, { ref: 'refs/heads/feature' }, { check: true }],
    ['for a valid file', { 'octo/hello/.github/bot.yml': 'label: a' }, {}, { check: true }],
    ['for a file of another repository', extending, {}, { check: true }],
  ])('not %s', async (_when, files, more, options) => {
    expect((await pushed(files, more, options)).runs).toEqual([])
  })

  test('and fails with the error of the file if GitHub does not take the report', async () => {
    const { github, token } = await withFiles({ 'octo/hello/.github/bot.yml': '- a' })
    const logger = new Recorder()
    const hooks = new Hooks({ validateSignature: false, logger, apiUrl: github.url, token })
    hooks.on('push', ({ config }) => config('bot.yml', settings, { check: true }))
    const repository = { full_name: 'octo/hello', default_branch: 'main' }
    const [done] = await run(hooks, 'push', { payload: { ref: 'refs/heads/main', after: sha, repository } as never })
    expect(String(done?.error)).toMatch(/Invalid configuration/)
    expect(logger.messages).toContain('Cannot report the problems of .github/bot.yml of octo/hello to GitHub')
  })

  test('and any other option is rejected', async () => {
    const { done } = await pushed({}, {}, { checks: true })
    expect(done?.error).toEqual(new TypeError('Unknown option "checks" of delivery.config(). Did you mean "check"?'))
  })
})
