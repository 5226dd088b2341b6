/** Renamed and transferred repositories: GitHub redirects requests with their former names. */
import { describe, expect, test } from 'vitest'
import { addIssue, ask, botFor, octokitFor, secret, start, startReceiver } from './scene.ts'

const repo = { owner: 'octo', repo: 'hello' }

/** The repository `octo/hello` with an issue, renamed. */
async function renamed(newName = 'octo/world') {
  const [github, { url }] = [await start({ token: 'right' }), await startReceiver()]
  github.addRepository('octo/hello', { files: { 'a.txt': 'a' } })
  const hook = github.addHook({ repository: 'octo/hello', url, secret })
  const { rest } = octokitFor(github, 'right')
  await rest.issues.create({ ...repo, title: 'One' })
  const { id } = (await rest.repos.get(repo)).data
  await github.idle()
  github.renameRepository('octo/hello', newName)
  await github.idle()
  return { github, hook, rest, id, url }
}

/** A request that follows no redirect. */
const manual = (url: string, init?: RequestInit) =>
  fetch(url, { ...init, redirect: 'manual', headers: { authorization: 'Bearer right' } })

describe('the former name of a repository', () => {
  test.each([
    ['GET', 301],
    ['POST', 307],
    ['DELETE', 307],
  ])('redirects %s with %i to the address with its id', async (method, status) => {
    const { github, id } = await renamed()
    const response = await manual(`${github.url}/repos/octo/hello/issues/1/labels?page=2`, { method })
    const location = `${github.url}/repositories/${id}/issues/1/labels?page=2`
    expect([response.status, response.headers.get('location')]).toEqual([status, location])
    expect(await response.json()).toMatchObject({ message: 'Moved Permanently', url: location })
  })

  test('works in a client that follows redirects, and costs two requests', async () => {
    const { github, rest, id } = await renamed()
    const before = github.remaining.authorized
    const { data } = await rest.issues.createComment({ ...repo, issue_number: 1, body: 'Hi' })
    expect(data.issue_url).toBe(`${github.url}/repos/octo/world/issues/1`)
    expect(before - github.remaining.authorized).toBe(2)
    expect((await rest.repos.get(repo)).data).toMatchObject({ id, full_name: 'octo/world' })
  })

  test('is that of a new repository as soon as there is one', async () => {
    const { github, rest, id } = await renamed()
    github.addRepository('octo/hello')
    const { data } = await rest.repos.get(repo)
    expect([data.full_name, data.id === id]).toEqual(['octo/hello', false])
  })

  test('in a delivery is that of the renamed repository, unless the delivery has another id', async () => {
    const { github, rest, id } = await renamed()
    const issue = (number: number, repositoryId: number) => ({
      ...{ action: 'opened', issue: { number, title: 'Late' } },
      repository: { id: repositoryId, full_name: 'octo/hello', name: 'hello' },
    })
    await github.deliver('issues.opened', issue(5, id))
    expect((await rest.issues.get({ owner: 'octo', repo: 'world', issue_number: 5 })).data.title).toBe('Late')
    await github.deliver('issues.opened', issue(6, id + 1_000_000))
    expect((await rest.repos.get(repo)).data.full_name).toBe('octo/hello')
  })

  test('is not known to a caller who does not see the private repository', async () => {
    const github = await start()
    github.addRepository('octo/secret', { private: true })
    github.renameRepository('octo/secret', 'octo/other')
    expect((await ask(github, 'GET /repos/octo/secret')).status).toBe(404)
  })
})

test('a rename is an event of the webhooks', async () => {
  const { github, hook } = await renamed()
  expect(github.deliveries(hook).at(-1)).toMatchObject({
    ...{ event: 'repository', action: 'renamed', status: 'OK' },
    request: {
      payload: { changes: { repository: { name: { from: 'hello' } } }, repository: { full_name: 'octo/world' } },
    },
  })
})

test('a transfer takes the repository from the installation of its former owner', async () => {
  const github = await start()
  const app = github.addApp({
    id: 3,
    installations: [
      { id: 5, repositories: ['octo/hello'] },
      { id: 6, account: 'acme' },
    ],
  })
  const former = await botFor(github, app).getInstallationOctokit(5)
  const comment = { ...repo, issue_number: 7, body: 'Hi' }
  await addIssue(github, 'octo/hello', 7)
  await former.rest.issues.createComment(comment)
  github.renameRepository('octo/hello', 'acme/hello')
  await expect(former.rest.issues.createComment(comment)).rejects.toMatchObject({ status: 403 })
  const present = await botFor(github, app).getInstallationOctokit(6)
  expect((await present.rest.issues.createComment(comment)).status).toBe(201)
  const { data } = await botFor(github, app).octokit.request('GET /repos/{owner}/{repo}/installation', repo)
  expect(data.id).toBe(6)
})

test('links to other pages have the id of the repository', async () => {
  const { github, rest, id } = await renamed()
  for (const title of ['Two', 'Three']) await rest.issues.create({ ...repo, title })
  const { headers } = await ask(github, 'GET /repos/octo/world/issues?per_page=1')
  expect(headers.get('link')).toMatch(`<${github.url}/repositories/${id}/issues?per_page=1&page=2>; rel="next"`)
  const all = await octokitFor(github, 'right').paginate(rest.issues.listForRepo, { ...repo, per_page: 1 })
  expect(all).toHaveLength(3)
})

test.each([
  ['octo/none', 'octo/other', 'There is no repository octo/none'],
  ['octo/world', 'octo/taken', 'There is a repository octo/taken already'],
  ['octo/world', 'other', 'A repository must be "owner/name", got "other"'],
])('a rename of %s to %s is rejected', async (from, to, message) => {
  const { github } = await renamed()
  github.addRepository('octo/taken')
  expect(() => github.renameRepository(from, to)).toThrow(new TypeError(message))
})
