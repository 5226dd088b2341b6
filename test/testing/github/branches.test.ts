/** Branches have commits, which a client lists, compares, moves and merges. */
import { expect, test } from 'vitest'
import { ask, octokitFor, start } from './scene.ts'

const repo = { owner: 'octo', repo: 'hello' }

/** A repository with one commit in `main` and two in `feature/one`. */
async function scene() {
  const github = await start({ token: 'right' })
  github.addRepository('octo/hello', { files: { 'README.md': '# hello' } })
  const { rest } = octokitFor(github, 'right')
  const head = async (branch: string) => (await rest.git.getRef({ ...repo, ref: `heads/${branch}` })).data.object.sha
  const main = await head('main')
  await rest.git.createRef({ ...repo, ref: 'refs/heads/feature/one', sha: main })
  const write = (path: string, branch = 'feature/one') =>
    rest.repos.createOrUpdateFileContents({ ...repo, path, branch, message: `Add ${path}`, content: 'SGk=' })
  await write('a.md')
  await write('b.md')
  const reject = async (what: string, body: object) => {
    const { status, json } = await ask(github, what, { token: 'right', body })
    return [status, json.message]
  }
  return { github, rest, main, head, write, reject }
}

test('a new branch begins with the commits of its SHA', async () => {
  const { rest, main } = await scene()
  const { data } = await rest.repos.listCommits({ ...repo, sha: 'feature/one' })
  expect(data.map(({ commit }) => commit.message)).toEqual(['Add b.md', 'Add a.md', 'Create README.md'])
  expect(data[1]?.parents).toMatchObject([{ sha: main }])
  const ofFile = await rest.repos.listCommits({ ...repo, sha: 'feature/one', path: 'a.md' })
  expect(ofFile.data).toHaveLength(1)
  const one = await rest.repos.getCommit({ ...repo, ref: 'feature/one' })
  expect(one.data).toMatchObject({ sha: data[0]?.sha, files: [{ filename: 'b.md', status: 'added' }] })
  expect((await rest.repos.listBranches(repo)).data.map(({ name }) => name)).toEqual(['main', 'feature/one'])
  expect((await rest.repos.getBranch({ ...repo, branch: 'feature/one' })).data.commit.sha).toBe(data[0]?.sha)
})

test('refs can be listed by the beginning of their names', async () => {
  const { rest, main } = await scene()
  const listed = async (ref: string) =>
    (await rest.git.listMatchingRefs({ ...repo, ref })).data.map(({ ref: name }) => name)
  expect(await listed('heads/feature')).toEqual(['refs/heads/feature/one'])
  expect(await listed('heads/')).toEqual(['refs/heads/feature/one', 'refs/heads/main'])
  expect(await listed('tags/')).toEqual([])
  await rest.git.createRef({ ...repo, ref: 'refs/tags/v1', sha: main })
  expect(await listed('tags/v')).toEqual(['refs/tags/v1'])
})

test('a write to a branch that does not exist is 404, unless a pull request names the branch', async () => {
  const { rest, write } = await scene()
  await expect(write('c.md', 'next')).rejects.toMatchObject({
    status: 404,
    message: expect.stringMatching(/^Branch next not found/),
  })
  await rest.pulls.create({ ...repo, title: 'Add c.md', head: 'next', base: 'main' })
  await write('c.md', 'next')
  const { data } = await rest.repos.listCommits({ ...repo, sha: 'next' })
  expect(data.map(({ commit }) => commit.message)).toEqual(['Add c.md', 'Create README.md'])
})

test.each([
  ['one branch', 'main', 'main', 'No commits between main and main'],
  ['an unchanged branch', 'same', 'main', 'No commits between main and same'],
  ['two branches that have an open one', 'feature/one', 'main', 'A pull request already exists for octo:feature/one.'],
])('a pull request between %s is rejected', async (_, head, base, message) => {
  const { github, rest, main } = await scene()
  await rest.git.createRef({ ...repo, ref: 'refs/heads/same', sha: main })
  const open = (await rest.pulls.create({ ...repo, title: 'Add', head: 'feature/one', base: 'main' })).data
  const body = { title: 'Again', head, base }
  const { status, json } = await ask(github, 'POST /repos/octo/hello/pulls', { token: 'right', body })
  expect([status, json.errors]).toEqual([422, [{ resource: 'PullRequest', code: 'custom', message }]])
  await rest.pulls.update({ ...repo, pull_number: open.number, state: 'closed' })
  expect((await rest.pulls.create({ ...repo, ...body, head: 'feature/one', base: 'main' })).status).toBe(201)
})

test('branches and commits are compared', async () => {
  const { rest, main, head, write } = await scene()
  const compare = async (basehead: string) => (await rest.repos.compareCommitsWithBasehead({ ...repo, basehead })).data
  const ahead = await compare('main...octo:feature/one')
  expect(ahead).toMatchObject({ status: 'ahead', ahead_by: 2, behind_by: 0, total_commits: 2 })
  expect(ahead.files?.map(({ filename }) => filename)).toEqual(['a.md', 'b.md'])
  expect(await compare(`${await head('feature/one')}...${main}`)).toMatchObject({ status: 'behind', behind_by: 2 })
  expect(await compare('main...main')).toMatchObject({ status: 'identical', files: [] })
  await write('c.md', 'main')
  const diverged = await compare('main...feature/one')
  expect(diverged).toMatchObject({ status: 'diverged', ahead_by: 2, behind_by: 1, merge_base_commit: { sha: main } })
  await expect(compare('main...none')).rejects.toMatchObject({ status: 404 })
})

test('a comparison has a page of the commits, and files only on the first page', async () => {
  const { rest } = await scene()
  const compare = async (page: number) =>
    (await rest.repos.compareCommitsWithBasehead({ ...repo, basehead: 'main...feature/one', per_page: 1, page })).data
  const [first, second] = [await compare(1), await compare(2)]
  expect([first.commits.length, first.files?.length]).toEqual([1, 2])
  expect([second.commits.length, second.files]).toEqual([1, []])
  expect(second.commits[0]?.sha).not.toBe(first.commits[0]?.sha)
})

test('a comparison has at most 300 files and, without a page, the newest 250 commits', async () => {
  const github = await start({ token: 'right', limits: { authorized: 100_000, points: 1e9 } })
  const files = Object.fromEntries(Array.from({ length: 303 }, (_, index) => [`${index}.txt`, 'a']))
  github.addRepository('octo/hello', { files })
  const { rest } = octokitFor(github, 'right')
  const { data } = await rest.repos.listCommits({ ...repo, per_page: 100, page: 4 })
  const first = data.at(-1)?.sha
  const compared = (await rest.repos.compareCommitsWithBasehead({ ...repo, basehead: `${first}...main` })).data
  expect([compared.total_commits, compared.commits.length, compared.files?.length]).toEqual([302, 250, 300])
  expect(compared.commits.at(-1)?.sha).toBe((await rest.repos.getBranch({ ...repo, branch: 'main' })).data.commit.sha)
})

test('a merge keeps the changes of the base branch since the branch began', async () => {
  const { github, rest } = await scene()
  const readme = { ...repo, path: 'README.md' }
  const sha = ((await rest.repos.getContent(readme)).data as { sha: string }).sha
  await rest.repos.createOrUpdateFileContents({ ...readme, sha, message: 'Change', content: 'TmV3' })
  const { data } = await rest.pulls.create({ ...repo, title: 'Add', head: 'feature/one', base: 'main' })
  const pull = { ...repo, pull_number: data.number }
  expect((await rest.pulls.listFiles(pull)).data.map(({ filename }) => filename)).toEqual(['a.md', 'b.md'])
  await rest.pulls.merge(pull)
  const response = await fetch(`${github.url}/repos/octo/hello/contents/README.md`, {
    headers: { accept: 'application/vnd.github.raw+json' },
  })
  expect(await response.text()).toBe('New')
})

test('a branch moves back only by force', async () => {
  const { rest, main, head, reject } = await scene()
  const ref = 'heads/feature/one'
  const update = `PATCH /repos/octo/hello/git/refs/${encodeURIComponent(ref)}`
  expect(await reject(update, { sha: main })).toEqual([422, 'Update is not a fast forward'])
  await rest.git.updateRef({ ...repo, ref: 'heads/main', sha: await head('feature/one') })
  expect(await head('main')).toBe(await head('feature/one'))
  await rest.git.updateRef({ ...repo, ref, sha: main, force: true })
  expect(await head('feature/one')).toBe(main)
})

const prefixText = "Reference name must start with 'refs/heads/' or 'refs/tags/'"
const newTag = { tag: 'v1', message: 'One', type: 'commit' }

test.each([
  ['POST /repos/octo/hello/git/refs', { ref: 'refs/heads/main', sha: 'MAIN' }, 'Reference already exists'],
  ['POST /repos/octo/hello/git/refs', { ref: 'refs/heads/new', sha: 'a'.repeat(40) }, 'Object does not exist'],
  ['POST /repos/octo/hello/git/refs', { ref: 'new', sha: 'MAIN' }, prefixText],
  ['POST /repos/octo/hello/git/refs', { ref: 'refs/notes/new', sha: 'MAIN' }, prefixText],
  ['DELETE /repos/octo/hello/git/refs/tags%2Fv1', {}, 'Reference does not exist'],
  ['POST /repos/octo/hello/git/tags', { tag: 'v1', message: 'One', object: 'MAIN' }, /"type" wasn't supplied/],
  ['POST /repos/octo/hello/git/tags', { ...newTag, object: 'a'.repeat(40) }, 'Object does not exist'],
  ['POST /repos/octo/hello/git/tags', { ...newTag, object: 'MAIN', type: 'tree' }, 'Object does not exist'],
  ['DELETE /repos/octo/hello/git/refs/heads%2Fnone', {}, 'Reference does not exist'],
  ['DELETE /repos/octo/hello/git/refs/heads%2Fmain', {}, 'Cannot delete the default branch'],
])('%s rejects %j', async (what, body, message) => {
  const { main, reject } = await scene()
  const expected = typeof message === 'string' ? message : expect.stringMatching(message)
  expect(await reject(what, JSON.parse(JSON.stringify(body).replace('MAIN', main)))).toEqual([422, expected])
})

test.each([
  ['merge', 3],
  ['squash', 1],
] as const)('a pull request is merged with the method %s: the base gets %i commits', async (merge_method, count) => {
  const { rest, main } = await scene()
  const { data } = await rest.pulls.create({ ...repo, title: 'Add files', head: 'feature/one', base: 'main' })
  const pull = { ...repo, pull_number: data.number }
  const merged = await rest.pulls.merge({ ...pull, merge_method, sha: data.head.sha })
  const commits = (await rest.repos.listCommits(repo)).data
  expect([commits.length - 1, commits[0]?.sha]).toEqual([count, merged.data.sha])
  expect(commits[0]?.parents[0]?.sha).toBe(merge_method === 'squash' ? main : commits[0]?.parents[0]?.sha)
  expect((await rest.repos.getContent({ ...repo, path: 'b.md' })).status).toBe(200)
  expect((await rest.pulls.listCommits(pull)).data).toHaveLength(2)
  expect((await rest.pulls.checkIfMerged(pull)).status).toBe(204)
})

test.each([
  ['a draft', { draft: true }, {}, [405, 'Pull Request is not mergeable']],
  ['a changed head', {}, { sha: 'a'.repeat(40) }, [409, /Head branch was modified/]],
  ['an unknown method', {}, { merge_method: 'octopus' }, [422, /merge_method/]],
])('a pull request with %s is not merged', async (_, more, body, [status, message]) => {
  const { rest, reject } = await scene()
  const given = { ...repo, title: 'Add files', head: 'feature/one', base: 'main', ...more }
  const { number } = (await rest.pulls.create(given)).data
  const found = await reject(`PUT /repos/octo/hello/pulls/${number}/merge`, body)
  expect(found).toEqual([status, expect.stringMatching(message as string)])
  expect(await rest.pulls.checkIfMerged({ ...repo, pull_number: number }).catch(({ status }) => status)).toBe(404)
})

test('a review is rejected without a text, and so is the approval of an own pull request', async () => {
  const { github, rest, reject } = await scene()
  const { number } = (await rest.pulls.create({ ...repo, title: 'Add', head: 'feature/one', base: 'main' })).data
  const reviews = `POST /repos/octo/hello/pulls/${number}/reviews`
  expect(await reject(reviews, { event: 'APPROVE' })).toEqual([422, 'Unprocessable Entity'])
  expect((await reject(reviews, { event: 'COMMENT' }))[0]).toBe(422)
  expect((await reject(reviews, { event: 'PRAISE', body: 'x' }))[0]).toBe(422)
  const other = octokitFor(github, github.addToken({ login: 'mona' }))
  const pull = { ...repo, pull_number: number }
  await rest.pulls.requestReviewers({ ...pull, reviewers: ['mona'] })
  await other.rest.pulls.createReview({ ...pull, event: 'REQUEST_CHANGES', body: 'Please explain' })
  expect((await rest.pulls.listReviews(pull)).data).toMatchObject([
    { state: 'CHANGES_REQUESTED', user: { login: 'mona' } },
  ])
  expect((await rest.pulls.listRequestedReviewers(pull)).data.users).toEqual([])
  const requests = `POST /repos/octo/hello/pulls/${number}/requested_reviewers`
  expect((await reject(requests, { reviewers: ['octocat'] }))[0]).toBe(422) // the author
  expect((await reject(requests, { reviewers: ['unknown-login'] }))[0]).toBe(422)
})
