/** Pull requests from forks: their branches are not those of the repository, and bots may not write to them. */
import { describe, expect, test } from 'vitest'
import { botFor, createBranch, octokitFor, secret, sha, start, startReceiver } from './scene.ts'

const repo = { owner: 'octo', repo: 'hello' }
const fork = { owner: 'mona', repo: 'hello' }
const pull = { ...repo, pull_number: 7 }

/** Pull request 7 from the branch `main` of a fork. @param repository The member `repo` of its head. */
async function delivered(repository: object | null = { id: 77, full_name: 'mona/hello', private: false }) {
  const [github, { url }] = [await start({ token: 'right' }), await startReceiver()]
  github.addRepository('octo/hello', { files: { 'a.txt': 'a' } })
  const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
  const hook = github.addHook({ repository: 'octo/hello', url, secret, events: ['pull_request'] })
  await github.deliver('pull_request.opened', {
    ...{ action: 'opened', number: 7, repository: { full_name: 'octo/hello' } },
    pull_request: {
      ...{ number: 7, title: 'Fix', user: { login: 'mona', id: 1_000_001, type: 'User' } },
      ...{ head: { ref: 'main', sha, repo: repository }, base: { ref: 'main', sha: 'c'.repeat(40) } },
    },
  })
  const { rest } = octokitFor(github, 'right')
  const bot = await botFor(github, app).getInstallationOctokit(5)
  const names = () => github.deliveries(hook).map(({ action }) => action)
  return { github, rest, bot: bot.rest, names }
}

const file = { path: 'b.txt', message: 'Add', content: 'Yg==' }

describe('a pull request from a fork', () => {
  test('shows the fork', async () => {
    const { rest } = await delivered()
    const { head, base } = (await rest.pulls.get(pull)).data
    expect(head).toMatchObject({ label: 'mona:main', sha, repo: { full_name: 'mona/hello', fork: true } })
    expect(base).toMatchObject({ label: 'octo:main', repo: { full_name: 'octo/hello', fork: false } })
  })

  test('shows no repository if the fork was deleted', async () => {
    const { github } = await delivered(null)
    // Not with the client of `rest`, because GitHub's description lacks this case.
    const response = await fetch(`${github.url}/repos/octo/hello/pulls/7`)
    expect(await response.json()).toMatchObject({ head: { label: 'mona:main', repo: null } })
  })

  test('keeps its head when the branch of the same name in the repository gets a commit', async () => {
    const { github, rest, names } = await delivered()
    await rest.repos.createOrUpdateFileContents({ ...repo, ...file })
    await github.idle()
    expect((await rest.pulls.get(pull)).data.head.sha).toBe(sha)
    expect(names()).toEqual(['opened'])
  })

  test('has a head that a bot cannot write to', async () => {
    const { bot } = await delivered()
    await expect(bot.repos.createOrUpdateFileContents({ ...fork, ...file })).rejects.toMatchObject({ status: 403 })
  })

  test('has no branch in the repository', async () => {
    const { github, bot } = await delivered()
    await github.deliver('pull_request.opened', {
      ...{ action: 'opened', number: 8, repository: { full_name: 'octo/hello' } },
      pull_request: {
        ...{ number: 8, title: 'Fix', head: { ref: 'fix', sha, repo: { full_name: 'mona/hello' } } },
        base: { ref: 'main', sha: 'c'.repeat(40) },
      },
    })
    const written = bot.repos.createOrUpdateFileContents({ ...repo, ...file, branch: 'fix' })
    await expect(written).rejects.toMatchObject({ status: 404 })
  })

  test('is merged as a branch of its owner', async () => {
    const { rest } = await delivered()
    const { data } = await rest.pulls.merge(pull)
    const { commit, parents } = (await rest.repos.getCommit({ ...repo, ref: data.sha })).data
    expect(commit.message).toBe('Merge pull request #7 from mona/main\n\nFix')
    expect(parents.map((parent) => parent.sha)).toContain(sha)
  })

  test('is created by the name of its owner, and gets the commits of the fork', async () => {
    const { github, rest, names } = await delivered()
    github.addRepository('mona/hello')
    await createBranch(rest, fork, 'feature')
    const { data } = await rest.pulls.create({ ...repo, title: 'New', head: 'mona:feature', base: 'main' })
    expect(data.head.repo?.full_name).toBe('mona/hello')
    const { commit } = (await rest.repos.createOrUpdateFileContents({ ...fork, ...file, branch: 'feature' })).data
    await github.idle()
    expect((await rest.pulls.get({ ...repo, pull_number: data.number })).data.head.sha).toBe(commit.sha)
    expect(names()).toEqual(['opened', 'opened', 'synchronize'])
    const again = rest.pulls.create({ ...repo, title: 'Again', head: 'mona:feature', base: 'main' })
    await expect(again).rejects.toThrow('A pull request already exists for mona:feature.')
  })

  test('is rejected if the owner has no fork', async () => {
    const { rest } = await delivered()
    const created = rest.pulls.create({ ...repo, title: 'New', head: 'hubot:feature', base: 'main' })
    await expect(created).rejects.toMatchObject({ status: 422 })
  })
})
