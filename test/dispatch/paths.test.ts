import { describe, expect, test } from 'vitest'
import { pathFilter } from '../../src/dispatch/path-filter.ts'
import { Hooks } from '../../src/index.ts'
import { inject, run, signedRequest } from '../../src/testing/index.ts'
import { requestsTo, startBot, startGitHub } from '../github/bot-scene.ts'
import { eventually, taskIn } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'

const secret = 'a secret of the tests'
const push = (...added: string[]) => ({ ref: 'refs/heads/main', commits: [{ added, modified: [], removed: [] }] })
const tag = { ref: 'refs/tags/v1', commits: [] }
const noMatch = 'None of the 1 changed files matches "paths": packages/api/**'

function hooksFor(paths: string[]) {
  const hooks = new Hooks({ secret, validateIp: false, logger: false })
  hooks.on('push', { paths }, () => 'called')
  return hooks
}

describe('a handler with paths', () => {
  test('runs if a changed file matches', async () => {
    const payload = push('README.md', 'packages/api/src/index.ts')
    const [done] = await run(hooksFor(['packages/api/**']), 'push', { payload })
    expect(done).toMatchObject({ outcome: 'succeeded', returned: 'called' })
  })

  test('does not run if all files are known and none matches: the delivery is discarded', async () => {
    const [done] = await run(hooksFor(['packages/api/**']), 'push', { payload: push('packages/web/index.ts') })
    expect(done).toMatchObject({ outcome: 'discarded', returned: undefined, error: { message: noMatch } })
  })

  test('runs if GitHub does not list all files', async () => {
    const [done] = await run(hooksFor(['packages/api/**']), 'push', { payload: tag })
    expect(done).toMatchObject({ outcome: 'succeeded', returned: 'called' })
  })

  test('is left out of the reply without an inbox', async () => {
    const hooks = new Hooks({ secret, validateIp: false, logger: new Recorder() })
    hooks.hook('push', { paths: ['docs/**'] }, () => 'docs')
    const reply = async (file: string) => {
      const response = await inject(hooks, signedRequest('push', { secret, payload: push(file) as never }))
      return [response.status, await response.text()]
    }
    expect(await reply('docs/a.md')).toEqual([200, 'docs'])
    expect(await reply('src/a.ts')).toEqual([204, ''])
  })

  test('does not run its middleware either', async () => {
    const hooks = hooksFor(['docs/**'])
    const calls: string[] = []
    hooks.use(({ event }, next) => {
      calls.push(event)
      return next()
    })
    await run(hooks, 'push', { payload: push('a') })
    expect(calls).toEqual([])
    await run(hooks, 'push', { payload: push('docs/a') })
    expect(calls).toEqual(['push'])
  })

  test('reads the files of a pull request in the attempt, which ends as discarded in the inbox', async () => {
    const github = await startGitHub()
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, () => 'other')
    bot.hooks.on('pull_request', { name: 'api', paths: ['packages/api/**'] }, () => 'called')
    github.route('GET', '/repos/{owner}/{repo}/pulls/{pull_number}/files', () => ({ body: [{ filename: 'a' }] }))
    github.addHook({ repository: 'Codertocat/Hello-World', url: bot.url, secret })
    await github.deliver('pull_request.opened')
    await eventually(async () => {
      const discarded = { state: 'discarded', attempts: [{ outcome: 'discarded', error: noMatch }] }
      expect(await taskIn(bot.inbox, 1, 'api')).toMatchObject(discarded)
    })
    expect(requestsTo(github)).toEqual(['GET /repos/Codertocat/Hello-World/pulls/2/files?per_page=100&page=1 200'])
  })
})

describe('the option paths', () => {
  const register = (name: string, paths: unknown) => () =>
    new Hooks({ secret }).on(name, { paths: paths as string[] }, () => {})

  test.each([
    [['/docs/**'], '/docs/**'],
    [['./docs/**'], './docs/**'],
    [['docs/'], 'docs/'],
    [['docs/**', '!'], '!'],
    [[''], ''],
  ])('rejects %j, which can match no path', (paths, wrong) => {
    const rule = 'patterns of paths from the root of the repository, such as "docs/**" for all files in docs'
    expect(register('push', paths)).toThrow(`Option "paths" of a handler must be ${rule}, got "${wrong}"`)
  })

  test.each([['docs/**'], [[]], [[5]], [null]])('rejects %j, which is not a list of patterns', (paths) => {
    expect(register('push', paths)).toThrow('Option "paths" of a handler must be a list of patterns')
  })

  test('rejects a list that only excludes', () => {
    expect(register('push', ['!docs/**'])).toThrow('a list whose first pattern does not exclude, such as "**"')
  })

  test.each(['issues', '*', 'issue_comment.created', 'repository_dispatch'])('rejects the event %s', (name) => {
    expect(register(name, ['docs/**'])).toThrow(`but ${name} has none: register the handler only for push`)
  })

  test.each(['push', 'pull_request.opened', 'pull_request_review.submitted'])('takes the event %s', (name) => {
    expect(register(name, ['docs/**'])).not.toThrow()
  })

  test('has an effect without an inbox, so there is no warning', () => {
    const logger = new Recorder()
    const hooks = new Hooks({ secret, validateIp: false, logger })
    hooks.on('push', { paths: ['docs/**'] }, () => {})
    hooks.mount()
    expect(logger.lines).toEqual([])
  })
})

test.each<[string[], string, boolean]>([
  [['packages/api/**'], 'packages/api/src/deep/a.ts', true],
  [['packages/api/**'], 'packages/api2/a.ts', false],
  [['**'], '.github/workflows/ci.yml', true],
  [['*'], 'README.md', true],
  [['*'], 'docs/README.md', false],
  [['**/*.md'], 'README.md', true],
  [['**/*.{ts,tsx}'], 'a/b.tsx', true],
  [['docs/[ab].md'], 'docs/a.md', true],
  [['docs/a file (1).md'], 'docs/a file (1).md', true],
  [['**', '!**/*.md'], 'docs/a.md', false],
  [['**', '!**/*.md', 'docs/**'], 'docs/a.md', true],
  [['a/**', 'b/**'], 'b/c', true],
  [['DOCS/**'], 'docs/a', false],
  [['app/(marketing)/**'], 'app/(marketing)/page.tsx', true],
  [['app/(marketing)/**'], 'app/marketing/page.tsx', false],
  [['app/@modal/(.)photo/**'], 'app/@modal/(.)photo/page.tsx', true],
  [['**', '!(draft)/**'], '(draft)/a.md', false],
  [['src/@(api|web)/**'], 'src/api/a.ts', true],
  [['src/@(api|(web))/**'], 'src/(web)/a.ts', true],
  [[String.raw`app/\(a\)/**`], 'app/(a)/b', true],
  [['packages/api/**'], 'packages/api', true], // a submodule
  [['*/**'], 'README.md', false],
  [['a/**/b'], 'a/b', true],
  [['a/**/b'], 'a/x/y/b', true],
  [['a**b'], 'axb', true],
  [['a**b'], 'a/b', true],
  [['**.js'], 'src/deep/a.js', true],
  [['docs**'], 'docs/a', true],
  [['**.{js,ts}'], 'src/a.ts', true],
  [['**.js'], 'src/a.jsx', false],
  [['a?c'], 'abc', true],
  [['a?c'], 'a/c', false],
  [['[!a]*'], 'b.ts', true],
  [['[!a]*'], 'a.ts', false],
  [['[a'], '[a', true],
  [['{a,b/{c,d}}/*'], 'b/d/x', true],
  [['{a,b'], '{a,b', true],
  [['{a}'], '{a}', true],
  [['v{1..12}.md'], 'v10.md', true],
  [['v{1..12}.md'], 'v13.md', false],
  [['{a..c}.md'], 'b.md', true],
  [['+(ab).md'], 'abab.md', true],
  [['*(ab).md'], '.md', true],
  [['?(ab).md'], 'abab.md', false],
  [['src/!(*.test).ts'], 'src/a.ts', true],
  [['src/!(*.test).ts'], 'src/a.test.ts', false],
  [['src/!(*.test).ts'], 'src/b/a.ts', false],
  [['**/!(*.md)'], 'docs/a.ts', true],
  [['@(!(a))'], 'b', true],
  [['@(!(a))'], 'a', false],
  [['**/!(*.md)'], 'docs/a.md', false],
  [['a/!(b)!(c)'], 'a/bc', true],
  [['a/*!(b)'], 'a/b', true],
  [['a/*!(*)'], 'a/b', false],
  [['a/!(b|c)d'], 'a/bd', false],
  [['a/!(b|c)d'], 'a/bbd', true],
  [['[!a]!(b)'], 'ab', false],
  [['@(a'], '@(a', true],
])('the patterns %j and the path %s match: %s', (patterns, path, matches) => {
  expect(pathFilter(patterns)(path)).toBe(matches)
})

// A regular expression would take hours for these.
test.each([
  ['**/*a*a*a*a*a*.ts', 'a'.repeat(4000)],
  ['**/*a*b*c*d*.ts', 'abcd'.repeat(1000)],
  ['**/a/**/b/**/c/**/d.ts', 'a/b/c/d/'.repeat(500)],
  ['*(*a|*(a))x', 'a'.repeat(4000)],
  ['!(a)!(a)!(b)x', 'a'.repeat(4000)],
  ['a/*!(*!(*b))x', `a/${'a'.repeat(2000)}`],
  ['a/*!(*.md)*!(*.md)*x', `a/${'a'.repeat(4000)}`],
  ['**/*!(*.md)*/!(**/a)x', 'a/'.repeat(2000)],
])('the pattern %s and a hostile path do not match', (pattern, path) => {
  expect(pathFilter([pattern])(path)).toBe(false)
  expect(pathFilter([pattern])(`${path}.js`)).toBe(false)
})
