/** Reactions, the permissions of collaborators, and the members of teams. */
import { describe, expect, test } from 'vitest'
import { addIssue, ask, botFor, octokitFor, start } from './scene.ts'

const token = 'right'
const repo = { owner: 'octo', repo: 'hello' }

async function scene() {
  const github = await start({ token })
  github.addRepository('octo/hello')
  github.addCollaborator('octo/hello', 'octocat')
  for (const login of ['mona', 'lisa']) github.addToken({ login })
  return { github, rest: octokitFor(github, token).rest }
}

describe('the permission of a user', () => {
  test.each([
    ['read', 'read'],
    ['triage', 'read'],
    ['write', 'write'],
    ['maintain', 'write'],
    ['admin', 'admin'],
  ] as const)('with the role %s is %s', async (role, permission) => {
    const { github, rest } = await scene()
    github.addCollaborator('octo/hello', 'Mona', role)
    const { data } = await rest.repos.getCollaboratorPermissionLevel({ ...repo, username: 'MONA' })
    expect(data).toMatchObject({ permission, role_name: role, user: { login: 'mona', role_name: role } })
  })

  test('without a role depends on the repository', async () => {
    const { github, rest } = await scene()
    github.addRepository('octo/hidden', { private: true })
    github.addCollaborator('octo/hidden', 'octocat')
    const roleIn = async (name: string, username: string) =>
      (await rest.repos.getCollaboratorPermissionLevel({ owner: 'octo', repo: name, username })).data.role_name
    expect(await roleIn('hello', 'mona')).toBe('read')
    expect(await roleIn('hidden', 'mona')).toBe('none')
    expect(await roleIn('hidden', 'octo')).toBe('admin')
  })

  test('is not shown to a user who may not write', async () => {
    const { github } = await scene()
    github.addCollaborator('octo/hello', 'lisa', 'triage')
    const path = 'GET /repos/octo/hello/collaborators/mona/permission'
    const { status, json } = await ask(github, path, { token: github.addToken({ login: 'lisa' }) })
    expect([status, json.message]).toEqual([403, 'Must have push access to view collaborator permission.'])
  })

  test('is shown to a bot of an App', async () => {
    const { github } = await scene()
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const { rest } = await botFor(github, app).getInstallationOctokit(5)
    const { data } = await rest.repos.getCollaboratorPermissionLevel({ ...repo, username: 'mona' })
    expect(data.permission).toBe('read')
  })

  test('needs a user and credentials', async () => {
    const { github } = await scene()
    const path = 'GET /repos/octo/hello/collaborators/unknown/permission'
    expect(await ask(github, path, { token })).toMatchObject({ status: 404 })
    expect(await ask(github, path)).toMatchObject({ status: 401 })
  })
})

describe('the membership of a team', () => {
  test('is active or pending', async () => {
    const { github, rest } = await scene()
    github.addTeamMember('acme/ops', 'mona')
    github.addTeamMember('acme/ops', 'lisa', { pending: true })
    const stateOf = async (username: string) =>
      (await rest.teams.getMembershipForUserInOrg({ org: 'Acme', team_slug: 'ops', username })).data.state
    expect([await stateOf('mona'), await stateOf('lisa')]).toEqual(['active', 'pending'])
    await expect(stateOf('octocat')).rejects.toThrow(/Not Found/)
  })

  test('needs the permission for members', async () => {
    const { github } = await scene()
    github.addTeamMember('acme/ops', 'mona')
    const path = 'GET /orgs/acme/teams/ops/memberships/mona'
    const tokens = [github.addToken({ permissions: { metadata: 'read' } }), github.addToken({ scopes: ['read:org'] })]
    const answers = await Promise.all(tokens.map((one) => ask(github, path, { token: one })))
    expect(answers.map(({ status }) => status)).toEqual([403, 200])
  })
})

describe('reactions', () => {
  test('belong to an issue or to one of its comments, and are added once', async () => {
    const { github, rest } = await scene()
    const issue = { ...repo, issue_number: 7 }
    await addIssue(github, 'octo/hello', 7)
    const { data } = await rest.issues.createComment({ ...issue, body: 'Hi' })
    const comment = { ...repo, comment_id: data.id }
    const statuses = [
      await rest.reactions.createForIssue({ ...issue, content: 'eyes' }),
      await rest.reactions.createForIssueComment({ ...comment, content: 'rocket' }),
      await rest.reactions.createForIssueComment({ ...comment, content: 'rocket' }),
      await octokitFor(github, github.addToken({ login: 'mona' })).rest.reactions.createForIssueComment({
        ...{ ...comment, content: 'rocket' },
      }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([201, 201, 200, 201])
    expect((await rest.reactions.listForIssue(issue)).data).toMatchObject([{ content: 'eyes' }])
    const { data: reactions } = await rest.reactions.listForIssueComment(comment)
    expect(reactions.map(({ user }) => user?.login)).toEqual(['octocat', 'mona'])
    const removed = { ...comment, reaction_id: reactions[0]?.id ?? 0 }
    await rest.reactions.deleteForIssueComment(removed)
    await expect(rest.reactions.deleteForIssueComment(removed)).rejects.toMatchObject({ status: 404 })
    expect((await rest.reactions.listForIssueComment(comment)).data).toHaveLength(1)
    expect((await rest.reactions.listForIssue(issue)).data).toHaveLength(1)
  })

  test('belong to a review comment of a delivery', async () => {
    const { github, rest } = await scene()
    const repository = { full_name: 'octo/hello', id: 1, private: false }
    const payload = { action: 'created', repository, pull_request: { number: 3 }, comment: { id: 9, body: 'Hi' } }
    await github.deliver('pull_request_review_comment.created', payload)
    const comment = { ...repo, comment_id: 9 }
    await rest.reactions.createForPullRequestReviewComment({ ...comment, content: '-1' })
    const { data } = await rest.reactions.listForPullRequestReviewComment(comment)
    expect(data).toMatchObject([{ content: '-1', user: { login: 'octocat' } }])
  })

  test('are one of eight, to something that exists', async () => {
    const { github } = await scene()
    await addIssue(github, 'octo/hello', 7)
    const react = (path: string, content: string) =>
      ask(github, `POST /repos/octo/hello/${path}/reactions`, { token, body: { content } })
    expect(await react('issues/7', 'shrug')).toMatchObject({ status: 422 })
    expect(await react('issues/comments/7', 'eyes')).toMatchObject({ status: 404 })
    expect(await react('pulls/comments/7', 'eyes')).toMatchObject({ status: 404 })
  })
})

test('comments are listed since a time', async () => {
  const { github, rest } = await scene()
  const issue = { ...repo, issue_number: 7 }
  await addIssue(github, 'octo/hello', 7)
  await rest.issues.createComment({ ...issue, body: 'First' })
  github.clock.advance(60_000)
  const { data } = await rest.issues.createComment({ ...issue, body: 'Second' })
  const { data: listed } = await rest.issues.listComments({ ...issue, since: data.created_at })
  expect(listed.map(({ body }) => body)).toEqual(['Second'])
})
