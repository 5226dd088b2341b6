import { describe, expect, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import type { Json } from '../../src/runtime/json.ts'
import { type LocalGitHub, run, sample } from '../../src/testing/index.ts'
import { requestsTo, startGitHub } from '../github/bot-scene.ts'

const repository = { full_name: 'octo/hello' }

/** The changed files of a delivery. */
async function filesOf(event: string, payload: Json, github?: LocalGitHub) {
  const options = github && { apiUrl: github.url, token: github.addToken() }
  const hooks = new Hooks({ validateSignature: false, logger: false, ...options })
  hooks.on('*', async ({ changedFiles }) => {
    const [first, second] = await Promise.all([changedFiles(), changedFiles()])
    expect(second).toBe(first)
    return first
  })
  const [done] = await run(hooks, event, { payload: { repository, ...payload } })
  if (done?.outcome !== 'succeeded') throw done?.error
  return done.returned
}

const commit = (added: string[], modified: string[] = [], removed: string[] = []) => ({ added, modified, removed })
const push = { ref: 'refs/heads/main', before: 'a'.repeat(40), after: 'b'.repeat(40), forced: false, created: false }

describe('the changed files of a push', () => {
  test('are those of its commits, each once', async () => {
    const commits = [commit(['a', 'b'], ['c']), commit([], ['a'], ['d'])]
    expect(await filesOf('push', { ...push, commits })).toEqual({ files: ['a', 'b', 'c', 'd'], complete: true })
  })

  test('are complete in a sample', async () => {
    expect(await filesOf('push', sample('push'))).toMatchObject({ complete: true })
  })

  test('are none if the branch was deleted', async () => {
    expect(await filesOf('push', { ...push, deleted: true, commits: [] })).toEqual({ files: [], complete: true })
  })

  test.each<[string, Json]>([
    ['of a forced push, because its removed commits are not listed', { forced: true, commits: [commit(['a'])] }],
    ['of a tag', { ref: 'refs/tags/v1', commits: [commit(['a'])] }],
    ['of 2,048 commits, without credentials', { commits: Array(2048).fill(commit(['a'])) }],
    ['of a commit with 3,000 files', { created: true, commits: [commit(Array.from({ length: 3000 }, String))] }],
    ['of a new branch without file lists', { created: true, commits: [{ id: 'a' }] }],
    ['of hostile commits', { created: true, commits: [null, 'x', { added: 5, modified: [{}], removed: [1] }] }],
    ['of no list of commits', { created: true, commits: {} }],
  ])('are incomplete: the list %s', async (_what, more) => {
    expect(await filesOf('push', { ...push, ...more })).toMatchObject({ complete: false })
  })

  const route = '/repos/{owner}/{repo}/compare/{basehead}'

  test('include those of a comparison if the payload leaves out some', async () => {
    const github = await startGitHub()
    github.addRepository('octo/hello')
    const compared = [{ filename: 'b' }, { filename: 'new', previous_filename: 'old' }]
    github.route('GET', route, () => ({ body: { files: compared } }))
    const commits = [commit(['a']), { id: 'without lists' }]
    expect(await filesOf('push', { ...push, commits }, github)).toEqual({
      ...{ files: ['a', 'b', 'new', 'old'], complete: true },
    })
    expect(requestsTo(github)).toEqual([`GET /repos/octo/hello/compare/${push.before}...${push.after}?per_page=1 200`])
  })

  test('are incomplete if the comparison has 300 files', async () => {
    const github = await startGitHub()
    github.addRepository('octo/hello')
    const files = Array.from({ length: 300 }, (_, index) => ({ filename: `file ${index}` }))
    github.route('GET', route, () => ({ body: { files } }))
    const found = await filesOf('push', { ...push, commits: [{ id: 'a' }] }, github)
    expect(found).toMatchObject({ files: { length: 300 }, complete: false })
  })
})

describe('the changed files of a pull request', () => {
  const payload = { action: 'opened', pull_request: { number: 7 } }
  const route = '/repos/{owner}/{repo}/pulls/{pull_number}/files'
  const listing = (github: LocalGitHub, count: number) => {
    github.addRepository('octo/hello')
    github.route('GET', route, ({ query }) => {
      const first = (Number(query.get('page')) - 1) * 100
      return { body: Array.from({ length: Math.min(100, count - first) }, (_, i) => ({ filename: `${first + i}` })) }
    })
  }

  test('are read from GitHub', async () => {
    const github = await startGitHub()
    const [repo, token] = ['Codertocat/Hello-World', github.addToken()]
    github.addRepository(repo)
    const opened = sample('pull_request.opened')
    expect(opened.pull_request.head.ref).toBe('changes')
    await github.deliver('pull_request.opened', opened)
    await fetch(`${github.url}/repos/${repo}/contents/src/a.ts`, {
      ...{ method: 'PUT', headers: { authorization: `Bearer ${token}` } },
      body: JSON.stringify({ message: 'Add', content: 'SGk=', branch: 'changes' }),
    })
    const found = await filesOf('pull_request', opened as unknown as Json, github)
    expect(found).toEqual({ files: ['src/a.ts'], complete: true })
  })

  test.each([
    [0, 1, true],
    [99, 1, true],
    [100, 2, true],
    [250, 3, true],
    [2999, 30, true],
    [3000, 30, false],
  ])('that are %i take %i requests, and are complete: %s', async (count, requests, complete) => {
    const github = await startGitHub()
    listing(github, count)
    const event = 'pull_request_review_comment'
    expect(await filesOf(event, payload, github)).toMatchObject({ files: { length: count }, complete })
    expect(github.requests.length).toBe(requests)
  })

  test('have both paths of a renamed file', async () => {
    const github = await startGitHub()
    github.addRepository('octo/hello')
    github.route('GET', route, () => ({ body: [{ filename: 'b/x', previous_filename: 'a/x', status: 'renamed' }] }))
    expect(await filesOf('pull_request', payload, github)).toEqual({ files: ['b/x', 'a/x'], complete: true })
  })

  describe('after a push, if GitHub still lists those of the old head', () => {
    const [before, after] = ['a'.repeat(40), 'b'.repeat(40)]
    const pushed = { ...payload, action: 'synchronize', before, after }
    const item = (filename: string, sha: string) => ({
      filename,
      contents_url: `https://x/contents/${filename}?ref=${sha}`,
    })

    test('are listed again', async () => {
      const github = await startGitHub()
      github.addRepository('octo/hello')
      const answers = [[item('old', before)], [item('old', after), item('new', after)]]
      github.route('GET', route, () => ({ body: answers.shift() ?? [] }))
      expect(await filesOf('pull_request', pushed, github)).toEqual({ files: ['old', 'new'], complete: true })
    })

    test('are incomplete if the second list is old too', async () => {
      const github = await startGitHub()
      github.addRepository('octo/hello')
      github.route('GET', route, () => ({ body: [item('old', before)] }))
      expect(await filesOf('pull_request', pushed, github)).toEqual({ files: ['old'], complete: false })
      expect(github.requests).toHaveLength(2)
    })
  })

  test('need credentials', async () => {
    await expect(filesOf('pull_request', payload)).rejects.toThrow('delivery.octokit() needs credentials')
  })
})

test('another event has no changed files', async () => {
  const message =
    'delivery.changedFiles(): issues.opened has no changed files; only push and the events of pull requests do'
  await expect(filesOf('issues', { action: 'opened' })).rejects.toThrow(new TypeError(message))
})
