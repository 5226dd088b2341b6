/** Tags point to commits. A client creates, reads, moves and deletes them, and a release creates its own. */
import { expect, test } from 'vitest'
import { expectDescribedPayload } from './described.ts'
import { ask, octokitFor, secret, start, startReceiver } from './scene.ts'

const repo = { owner: 'octo', repo: 'hello' }

/** A repository with the file `a.md`, and a webhook. `sent` are the deliveries since the last call. */
async function scene() {
  const [github, { url }] = [await start({ token: 'right' }), await startReceiver()]
  github.addRepository('octo/hello')
  const hook = github.addHook({ repository: 'octo/hello', url, secret })
  const { rest } = octokitFor(github, 'right')
  const write = async (path: string, content: string, sha?: string) => {
    const given = { ...repo, path, message: `Write ${path}`, content, ...(sha !== undefined && { sha }) }
    return (await rest.repos.createOrUpdateFileContents(given)).data
  }
  let seen = 0
  const sent = async () => {
    await github.idle()
    const all = github.deliveries(hook).slice(seen)
    seen += all.length
    return all.map(({ event, action, request }) => ({
      ...{ name: action === undefined ? event : `${event}.${action}`, payload: request.payload },
    }))
  }
  return { github, rest, write, sent }
}

test('a release creates its tag at the target, and the tag stays when the branch moves on', async () => {
  const { rest, write, sent } = await scene()
  const { commit, content } = await write('a.md', 'SGk=')
  await sent()
  await rest.repos.createRelease({ ...repo, tag_name: 'v1' })
  const deliveries = await sent()
  expect(deliveries.map(({ name }) => name)).toEqual([
    ...['create', 'push', 'release.created', 'release.published', 'release.released'],
  ])
  expect(deliveries[0]?.payload).toMatchObject({ ref: 'v1', ref_type: 'tag' })
  expect(deliveries[1]?.payload).toMatchObject({ ref: 'refs/tags/v1', after: commit.sha, created: true, commits: [] })
  for (const { name, payload } of deliveries.slice(0, 2)) expectDescribedPayload(name, payload)
  await write('a.md', 'SG8=', content?.sha)
  const ref = (await rest.git.getRef({ ...repo, ref: 'tags/v1' })).data
  expect(ref).toMatchObject({ ref: 'refs/tags/v1', object: { type: 'commit', sha: commit.sha } })
  const file = await rest.repos.getContent({ ...repo, path: 'a.md', ref: 'v1' })
  expect(file.data).toMatchObject({ sha: content?.sha })
  const compared = await rest.repos.compareCommitsWithBasehead({ ...repo, basehead: 'v1...main' })
  expect(compared.data).toMatchObject({ ahead_by: 1, base_commit: { sha: commit.sha } })
  expect((await rest.repos.listCommits({ ...repo, sha: 'v1' })).data).toHaveLength(1)
  expect((await rest.repos.getCommit({ ...repo, ref: 'v1' })).data.sha).toBe(commit.sha)
})

test('the tag of a release may be older than the first file', async () => {
  const { rest, write } = await scene()
  await rest.repos.createRelease({ ...repo, tag_name: 'v0' })
  await write('a.md', 'SGk=')
  const { data } = await rest.repos.compareCommitsWithBasehead({ ...repo, basehead: 'v0...main' })
  expect(data).toMatchObject({ ahead_by: 1, behind_by: 0 })
  expect(data.base_commit.sha).toBe((await rest.git.getRef({ ...repo, ref: 'tags/v0' })).data.object.sha)
  await expect(rest.repos.getContent({ ...repo, path: 'a.md', ref: 'v0' })).rejects.toMatchObject({ status: 404 })
})

test('a draft creates its tag when it is published, and a deleted release leaves its tag', async () => {
  const { rest } = await scene()
  const tags = async () => (await rest.repos.listTags(repo)).data.map(({ name }) => name)
  const { data } = await rest.repos.createRelease({ ...repo, tag_name: 'v1', draft: true })
  expect(await tags()).toEqual([])
  await rest.repos.updateRelease({ ...repo, release_id: data.id, draft: false })
  await rest.repos.createRelease({ ...repo, tag_name: 'v2' })
  expect(await tags()).toEqual(['v2', 'v1'])
  await rest.repos.deleteRelease({ ...repo, release_id: data.id })
  expect(await tags()).toEqual(['v2', 'v1'])
})

test('a release needs a target that exists, unless its tag does', async () => {
  const { github, rest, write } = await scene()
  const body = { tag_name: 'v1', target_commitish: 'none' }
  const { status, json } = await ask(github, 'POST /repos/octo/hello/releases', { token: 'right', body })
  const errors = [{ resource: 'Release', field: 'target_commitish', code: 'invalid' }]
  expect([status, json]).toMatchObject([422, { message: 'Validation Failed', errors }])
  const { commit } = await write('a.md', 'SGk=')
  await rest.git.createRef({ ...repo, ref: 'refs/tags/v1', sha: commit.sha ?? '' })
  expect((await rest.repos.createRelease({ ...repo, ...body })).status).toBe(201)
})

test('an annotated tag has a SHA of its own', async () => {
  const { rest, write } = await scene()
  const { commit } = await write('a.md', 'SGk=')
  const tag = { tag: 'v1', message: 'First', object: commit.sha ?? '', type: 'commit' } as const
  const { sha } = (await rest.git.createTag({ ...repo, ...tag })).data
  expect((await rest.git.getTag({ ...repo, tag_sha: sha })).data).toMatchObject({
    ...{ tag: 'v1', message: 'First', object: { sha: commit.sha, type: 'commit' }, tagger: { name: 'octocat' } },
  })
  await expect(rest.git.getRef({ ...repo, ref: 'tags/v1' })).rejects.toMatchObject({ status: 404 })
  await rest.git.createRef({ ...repo, ref: 'refs/tags/v1', sha })
  expect((await rest.git.getRef({ ...repo, ref: 'tags/v1' })).data.object).toMatchObject({ type: 'tag', sha })
  expect((await rest.repos.listTags(repo)).data).toMatchObject([{ name: 'v1', commit: { sha: commit.sha } }])
  expect((await rest.repos.getCommit({ ...repo, ref: 'refs/tags/v1' })).data.sha).toBe(commit.sha)
  await expect(rest.git.createRef({ ...repo, ref: 'refs/heads/v1', sha })).rejects.toMatchObject({ status: 422 })
})

test('a tag moves back only by force, and its deletion sends an event', async () => {
  const { rest, write, sent } = await scene()
  const [first, second] = [
    (await write('a.md', 'SGk=')).commit.sha ?? '',
    (await write('b.md', 'SGk=')).commit.sha ?? '',
  ]
  await rest.git.createRef({ ...repo, ref: 'refs/tags/v1', sha: second })
  await sent()
  const at = { ...repo, ref: 'tags/v1' }
  await expect(rest.git.updateRef({ ...at, sha: first })).rejects.toMatchObject({ status: 422 })
  expect((await rest.git.updateRef({ ...at, sha: first, force: true })).data.object.sha).toBe(first)
  await rest.git.updateRef({ ...at, sha: second })
  await rest.git.deleteRef(at)
  const deliveries = await sent()
  expect(deliveries).toMatchObject([
    { name: 'push', payload: { ref: 'refs/tags/v1', before: second, after: first, forced: true } },
    { name: 'push', payload: { before: first, after: second, forced: false } },
    { name: 'delete', payload: { ref: 'v1', ref_type: 'tag' } },
    { name: 'push', payload: { before: second, deleted: true, head_commit: null } },
  ])
  for (const { name, payload } of deliveries) expectDescribedPayload(name, payload)
  await expect(rest.git.getRef(at)).rejects.toMatchObject({ status: 404 })
})
