/** Releases. */
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
