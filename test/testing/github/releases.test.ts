/** Releases and searches. */
import { expect, test } from 'vitest'
import { expectDescribedPayload } from './described.ts'
import { ask, octokitFor, secret, start, startReceiver } from './scene.ts'

const repo = { owner: 'octo', repo: 'hello' }

test('a release is published once, and each step sends its event', async () => {
  const [github, { url }] = [await start({ token: 'right' }), await startReceiver()]
  const hook = github.addHook({ repository: 'octo/hello', url, secret, events: ['release'] })
  const { rest } = octokitFor(github, 'right')
  const { data } = await rest.repos.createRelease({ ...repo, tag_name: 'v1', draft: true, body: 'First' })
  const release = { ...repo, release_id: data.id }
  expect(data.published_at).toBeNull()
  await expect(rest.repos.getReleaseByTag({ ...repo, tag: 'v1' })).rejects.toMatchObject({ status: 404 })
  await rest.repos.updateRelease({ ...release, draft: false })
  await rest.repos.updateRelease({ ...release, name: 'One' })
  expect((await rest.repos.getLatestRelease(repo)).data).toMatchObject({ tag_name: 'v1', name: 'One', body: 'First' })
  await rest.repos.createRelease({ ...repo, tag_name: 'v2-beta', prerelease: true })
  expect((await rest.repos.getLatestRelease(repo)).data.tag_name).toBe('v1')
  expect((await rest.repos.listReleases(repo)).data.map(({ tag_name }) => tag_name)).toEqual(['v2-beta', 'v1'])
  await rest.repos.deleteRelease(release)
  await github.idle()
  const sent = github.deliveries(hook).map(({ action = '', request }) => ({ action, payload: request.payload }))
  expect(sent.map(({ action }) => action)).toEqual([
    ...['created', 'edited', 'published', 'released', 'edited', 'created', 'published', 'prereleased', 'deleted'],
  ])
  for (const action of ['created', 'published', 'released', 'deleted']) {
    expectDescribedPayload(`release.${action}`, sent.find((one) => one.action === action)?.payload ?? {})
  }
})

test('two releases cannot have the same tag', async () => {
  const github = await start({ token: 'right' })
  github.addRepository('octo/hello')
  const create = (tag_name?: string) =>
    ask(github, 'POST /repos/octo/hello/releases', { token: 'right', body: { tag_name } })
  expect((await create('v1')).status).toBe(201)
  expect(await create('v1')).toMatchObject({ status: 422, json: { errors: [{ code: 'already_exists' }] } })
  expect((await create()).status).toBe(422)
})

test.each([
  ['repo:octo/hello', [1, 2, 3]],
  ['repo:octo/hello is:issue is:open', [1]],
  ['repo:octo/hello is:pr', [3]],
  ['state:closed', [2]],
  ['label:"help wanted"', [1]],
  ['-label:"help wanted" user:octo', [2, 3]],
  ['no:label type:issue', [2]],
  ['CART', [1, 3]],
  ['"the cart" assignee:mona', [1]],
  ['author:octocat head:feature base:main', [3]],
  ['is:merged', []],
])('a search for %s finds %j', async (q, numbers) => {
  const github = await start({ token: 'right' })
  github.addRepository('octo/hello')
  github.addCollaborator('octo/hello', 'mona')
  const { rest } = octokitFor(github, 'right')
  const labels = ['Help wanted']
  await rest.issues.create({ ...repo, title: 'Broken', body: 'The cart is empty', labels, assignees: ['mona'] })
  await rest.issues.create({ ...repo, title: 'Old' })
  await rest.issues.update({ ...repo, issue_number: 2, state: 'closed' })
  await rest.pulls.create({ ...repo, title: 'Repair the cart', head: 'feature', base: 'main' })
  const { data } = await rest.search.issuesAndPullRequests({ q, order: 'asc' })
  expect([data.items.map(({ number }) => number), data.total_count]).toEqual([numbers, numbers.length])
})

test('a search rejects unknown qualifiers, and hides private repositories', async () => {
  const github = await start({ token: 'right' })
  github.addRepository('octo/secret', { private: true })
  await ask(github, 'POST /repos/octo/secret/issues', { token: 'right', body: { title: 'Hidden' } })
  const search = (q: string, token?: string) => ask(github, `GET /search/issues?q=${encodeURIComponent(q)}`, { token })
  expect((await search('hidden', 'right')).json.total_count).toBe(1)
  expect((await search('hidden')).json.total_count).toBe(0)
  for (const q of ['created:>2020-01-01', 'is:strange', 'is:constructor', ' '])
    expect((await search(q, 'right')).status).toBe(422)
})
