/** Bots read and write issues, pull requests, files and checks, and their writes send events. */
import { describe, expect, test } from 'vitest'
import { type LocalGitHub, sample } from '../../../src/testing/index.ts'
import {
  addIssue,
  ask,
  botFor,
  createBranch,
  octokitFor,
  secondAt,
  secret,
  sha,
  start,
  startReceiver,
} from './scene.ts'

const token = 'right'
const repo = { owner: 'octo', repo: 'hello' }
const issue = { ...repo, issue_number: 7 }

/** A repository with a webhook, and a user who writes. `events` are those that the webhook got. */
async function written() {
  const [github, { url }] = [await start({ token }), await startReceiver()]
  const { rest } = octokitFor(github, token)
  const hook = github.addHook({ repository: 'octo/hello', url, secret })
  const events = async () => {
    await github.idle()
    return github
      .deliveries(hook)
      .map(({ event, action, request }) => ({ name: `${event}.${action}`, payload: request.payload }))
  }
  return { github, rest, events, names: async () => (await events()).map(({ name }) => name) }
}

const write = (github: LocalGitHub, what: string, body: object) => ask(github, what, { token, body })

describe('issues', () => {
  test('are created, edited, closed and reopened, and each change sends its event', async () => {
    const { rest, events } = await written()
    const { data } = await rest.issues.create({ ...repo, title: 'New', body: 'Old text', labels: ['bug'] })
    expect(data).toMatchObject({ number: 1, state: 'open', labels: [{ name: 'bug' }], user: { login: 'octocat' } })
    const at = { ...repo, issue_number: data.number }
    await rest.issues.update({ ...at, body: 'New text' })
    const closed = await rest.issues.update({ ...at, state: 'closed', state_reason: 'not_planned' })
    expect(closed.data).toMatchObject({ state_reason: 'not_planned', closed_at: expect.any(String) })
    expect((await rest.issues.listForRepo(repo)).data).toEqual([])
    await rest.issues.update({ ...at, state: 'closed' }) // it is closed already
    expect((await rest.issues.listForRepo({ ...repo, state: 'closed', labels: 'BUG' })).data).toHaveLength(1)
    expect((await rest.issues.listForRepo({ ...repo, state: 'all', labels: 'other' })).data).toHaveLength(0)
    await rest.issues.update({ ...at, state: 'open' })
    expect((await rest.issues.get(at)).data).toMatchObject({ state: 'open', closed_at: null, body: 'New text' })
    expect(await events()).toMatchObject([
      { name: 'issues.opened', payload: { issue: { number: 1 }, sender: { login: 'octocat' } } },
      { name: 'issues.edited', payload: { changes: { body: { from: 'Old text' } } } },
      { name: 'issues.closed', payload: { repository: { full_name: 'octo/hello' } } },
      { name: 'issues.reopened' },
    ])
  })

  test('have assignees, and each change of them sends its event', async () => {
    const { github, rest, events } = await written()
    github.addToken({ login: 'mona' })
    await github.deliver('issues.opened') // its sender is Codertocat
    await rest.issues.create({ ...repo, title: 'New', assignees: ['octocat'] })
    const at = { ...repo, issue_number: 1 }
    const { data } = await rest.issues.update({ ...at, assignees: ['Mona', 'mona', 'codertocat'] })
    expect(data).toMatchObject({ assignee: { login: 'mona' }, assignees: [{ login: 'mona' }, { login: 'Codertocat' }] })
    expect((await rest.issues.update({ ...at, title: 'Newer' })).data.assignees).toHaveLength(2)
    expect((await rest.issues.update({ ...at, assignees: [] })).data).toMatchObject({ assignee: null, assignees: [] })
    const assigned = (await events()).filter(({ name }) => name.endsWith('assigned'))
    expect(
      assigned.map(({ name, payload }) => [name, (payload as { assignee: { login: string } }).assignee.login]),
    ).toEqual([
      ['issues.unassigned', 'octocat'],
      ['issues.assigned', 'mona'],
      ['issues.assigned', 'Codertocat'],
      ['issues.unassigned', 'mona'],
      ['issues.unassigned', 'Codertocat'],
    ])
  })

  test.each([
    ['POST /repos/octo/hello/issues', { title: 'New' }],
    ['PATCH /repos/octo/hello/issues/7', {}],
  ])('must have known users as assignees: %s', async (what, given) => {
    const github = await start({ token })
    github.addHook({ organization: 'acme', url: 'http://127.0.0.1:1/hooks' })
    github.addRepository('octo/hello')
    for (const login of ['none', 'acme']) {
      const { status, json } = await write(github, what, { ...given, assignees: ['octocat', login] })
      const errors = [{ value: login, resource: 'Issue', field: 'assignees', code: 'invalid' }]
      expect([status, json]).toMatchObject([422, { message: 'Validation Failed', errors }])
    }
    expect((await ask(github, 'GET /repos/octo/hello/issues', { token })).json).toEqual([])
  })

  test('are listed by their creator, assignee and time of change, in the order that the request names', async () => {
    const { github, rest } = await written()
    const mona = octokitFor(github, github.addToken({ login: 'mona' })).rest
    await rest.issues.create({ ...repo, title: 'One' })
    await mona.issues.create({ ...repo, title: 'Two', assignees: ['octocat'] })
    await rest.issues.create({ ...repo, title: 'Three' })
    github.clock.advance(60_000)
    const since = new Date(secondAt(github)).toISOString()
    await mona.issues.createComment({ ...repo, issue_number: 1, body: 'Still true' })
    const list = async (query: object) =>
      (await rest.issues.listForRepo({ ...repo, ...query })).data.map(({ number }) => number)
    expect(await list({})).toEqual([3, 2, 1])
    expect(await list({ direction: 'asc' })).toEqual([1, 2, 3])
    expect(await list({ sort: 'updated' })).toEqual([1, 3, 2])
    expect(await list({ sort: 'comments', direction: 'asc' })).toEqual([2, 3, 1])
    expect(await list({ creator: 'Mona' })).toEqual([2])
    expect(await list({ assignee: 'octocat' })).toEqual([2])
    expect([await list({ assignee: 'none' }), await list({ assignee: '*' })]).toEqual([[3, 1], [2]])
    expect(await list({ since })).toEqual([1])
  })

  test.each(['comment', 'label', 'assignee'])('have a new time of change after a new %s', async (what) => {
    const { github, rest } = await written()
    await rest.issues.create({ ...repo, title: 'One' })
    github.clock.advance(60_000)
    const at = { ...repo, issue_number: 1 }
    if (what === 'comment') await rest.issues.createComment({ ...at, body: 'Hi' })
    else if (what === 'label') await rest.issues.addLabels({ ...at, labels: ['bug'] })
    else await rest.issues.addAssignees({ ...at, assignees: ['octocat'] })
    const { created_at, updated_at } = (await rest.issues.get(at)).data
    expect(Date.parse(updated_at) - Date.parse(created_at)).toBeGreaterThanOrEqual(60_000)
  })

  test('that do not exist are 404 for a write', async () => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const { rest } = octokitFor(github, token)
    const writes = [
      () => rest.issues.update({ ...issue, title: 'New' }),
      () => rest.issues.createComment({ ...issue, body: 'Hi' }),
      () => rest.issues.addLabels({ ...issue, labels: ['bug'] }),
      () => rest.issues.setLabels({ ...issue, labels: ['bug'] }),
      () => rest.reactions.createForIssue({ ...issue, content: 'heart' }),
    ]
    for (const write of writes) await expect(write()).rejects.toMatchObject({ status: 404 })
    await rest.issues.create({ ...repo, title: 'First' })
    expect((await rest.issues.createComment({ ...issue, issue_number: 1, body: 'Hi' })).status).toBe(201)
  })

  test('exist as soon as a delivery names them', async () => {
    const { github, rest, names } = await written()
    expect(await ask(github, 'GET /repos/octo/hello/issues/7', { token })).toMatchObject({ status: 404 })
    await addIssue(github, 'octo/hello', 7)
    await rest.issues.createComment({ ...issue, body: 'Hi' })
    expect((await rest.issues.get(issue)).data).toMatchObject({ title: 'Issue 7', comments: 1 })
    expect(await names()).toEqual(['issue_comment.created'])
    const payload = {
      ...{ action: 'opened', repository: { full_name: 'octo/hello', id: 1, private: false } },
      issue: {
        number: 8,
        title: 'Told',
        body: 'By a delivery',
        user: { login: 'mona' },
        labels: [{ name: 'bug' }],
        assignees: [{ login: 'lisa' }],
      },
    }
    await github.deliver('issues.opened', payload)
    const { data } = await rest.issues.get({ ...repo, issue_number: 8 })
    expect(data).toMatchObject({ title: 'Told', body: 'By a delivery', user: { login: 'mona' } })
    expect([data.labels, data.assignees]).toMatchObject([[{ name: 'bug' }], [{ login: 'lisa' }]])
    expect((await rest.issues.create({ ...repo, title: 'Next' })).data.number).toBe(9)
  })

  test('have comments, which can be edited and deleted', async () => {
    const { github, rest, names } = await written()
    await addIssue(github, 'octo/hello', 7)
    const { data } = await rest.issues.createComment({ ...issue, body: 'First' })
    await rest.issues.createComment({ ...issue, body: 'Second' })
    const at = { ...repo, comment_id: data.id }
    github.clock.advance(60_000)
    const edited = await rest.issues.updateComment({ ...at, body: 'Edited' })
    expect(Date.parse(edited.data.updated_at)).toBeGreaterThan(Date.parse(data.updated_at))
    expect((await rest.issues.listComments(issue)).data.map(({ body }) => body)).toEqual(['Edited', 'Second'])
    await rest.issues.deleteComment(at)
    expect((await rest.issues.listComments(issue)).data.map(({ body }) => body)).toEqual(['Second'])
    expect(await ask(github, `GET /repos/octo/hello/issues/comments/${data.id}`, { token })).toMatchObject({
      status: 404,
    })
    const actions = ['created', 'created', 'edited', 'deleted'].map((action) => `issue_comment.${action}`)
    expect(await names()).toEqual(actions)
  })

  test('have the comment that a delivery contains', async () => {
    const { github, rest } = await written()
    const repository = { full_name: 'octo/hello', id: 1, private: false }
    const comment = { id: 55, body: '/help', user: { login: 'mona' } }
    await github.deliver('issue_comment.created', { action: 'created', repository, issue: { number: 7 }, comment })
    const { data } = await rest.issues.getComment({ ...repo, comment_id: 55 })
    expect(data).toMatchObject({ body: '/help', user: { login: 'mona' } })
  })

  test('have comments as deliveries edit and delete them', async () => {
    const { github, rest } = await written()
    const deliver = (action: string, body: string) =>
      github.deliver('issue_comment', {
        ...{ action, repository: { full_name: 'octo/hello' }, issue: { number: 7 } },
        comment: { id: 55, body, user: { login: 'mona' } },
      })
    await deliver('created', '/help')
    await deliver('edited', '/deploy')
    expect((await rest.issues.getComment({ ...repo, comment_id: 55 })).data.body).toBe('/deploy')
    await deliver('deleted', '/deploy')
    const reaction = rest.reactions.createForIssueComment({ ...repo, comment_id: 55, content: 'eyes' })
    await expect(reaction).rejects.toMatchObject({ status: 404 })
  })

  test('list a page of their labels', async () => {
    const { github, rest } = await written()
    await addIssue(github, 'octo/hello', 7)
    await rest.issues.addLabels({ ...issue, labels: ['a', 'b', 'c'] })
    const { data } = await rest.issues.listLabelsOnIssue({ ...issue, per_page: 2, page: 2 })
    expect(data.map(({ name }) => name)).toEqual(['c'])
  })

  test.each([
    ['POST /repos/octo/hello/labels', { name: 'x'.repeat(51) }, 'name is too long (maximum is 50 characters)'],
    [
      'POST /repos/octo/hello/issues/7/labels',
      { labels: ['x'.repeat(51)] },
      'name is too long (maximum is 50 characters)',
    ],
    [
      'POST /repos/octo/hello/labels',
      { name: 'a', description: 'x'.repeat(101) },
      'description is too long (maximum is 100 characters)',
    ],
  ])('reject a label that is too long: %s', async (what, body, message) => {
    const { github } = await written()
    const { status, json } = await write(github, what, body)
    expect([status, json.errors[0].message]).toEqual([422, message])
  })

  test('have labels with case-insensitive names', async () => {
    const { github, rest, events } = await written()
    await addIssue(github, 'octo/hello', 7)
    await rest.issues.addLabels({ ...issue, labels: ['Bug', 'help wanted'] })
    const { data } = await rest.issues.addLabels({ ...issue, labels: ['bug'] })
    expect(data.map(({ name }) => name)).toEqual(['Bug', 'help wanted'])
    expect((await rest.issues.removeLabel({ ...issue, name: 'HELP wanted' })).data).toMatchObject([{ name: 'Bug' }])
    expect((await rest.issues.listLabelsOnIssue(issue)).data).toMatchObject([{ name: 'Bug' }])
    const missing = await ask(github, 'DELETE /repos/octo/hello/issues/7/labels/none', { token })
    expect([missing.status, missing.json.message]).toEqual([404, 'Label does not exist'])
    expect(await events()).toMatchObject([
      { name: 'issues.labeled', payload: { label: { name: 'Bug' } } },
      { name: 'issues.labeled', payload: { label: { name: 'help wanted' } } },
      { name: 'issues.unlabeled', payload: { label: { name: 'help wanted' } } },
    ])
  })

  test.each([
    ['POST /repos/octo/hello/issues', {}, 'title'],
    ['PATCH /repos/octo/hello/issues/7', { state: 'done' }, 'state'],
    ['POST /repos/octo/hello/issues/7/labels', {}, 'labels'],
    ['POST /repos/octo/hello/issues/7/labels', { labels: [7] }, 'name'],
    ['POST /repos/octo/hello/pulls', { title: 'New', base: 'main' }, 'head'],
  ])('reject an invalid %s %j', async (what, body, field) => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const { status, json } = await write(github, what, body)
    expect([status, json]).toMatchObject([422, { errors: [{ field }] }])
  })
})

describe('a body', () => {
  const long = {
    resource: 'Issue',
    field: 'body',
    code: 'custom',
    message: 'body is too long (maximum is 65536 characters)',
  }
  const root = '/repos/octo/hello'

  test.each([
    [`POST ${root}/issues`, { title: 'New' }, 201, long],
    [`PATCH ${root}/issues/7`, {}, 200, long],
    [`POST ${root}/pulls`, { title: 'New', head: 'feature', base: 'main' }, 201, { ...long, resource: 'PullRequest' }],
    [
      ...([`POST ${root}/issues/7/comments`, {}, 201] as const),
      {
        ...{ resource: 'IssueComment', field: 'data', code: 'unprocessable' },
        message: 'Body is too long (maximum is 65536 characters)',
      },
    ],
  ])('may have 65,536 characters: %s', async (what, given, status, error) => {
    const github = await start({ token })
    await addIssue(github, 'octo/hello', 7)
    const issues = async () => (await ask(github, `GET ${root}/issues?state=all`, { token })).json
    const before = await issues()
    const body = '👋'.repeat(65_536)
    const rejected = await write(github, what, { ...given, body: `${body}!` })
    expect([rejected.status, rejected.json]).toMatchObject([422, { message: 'Validation Failed', errors: [error] }])
    expect(await issues()).toEqual(before)
    expect(await write(github, what, { ...given, body })).toMatchObject({ status, json: { body } })
  })
})

test.each([
  ['POST /repos/octo/hello/issues', {}, 'Issue', 'title', 256],
  ['PATCH /repos/octo/hello/issues/7', {}, 'Issue', 'title', 256],
  ['POST /repos/octo/hello/pulls', { head: 'feature', base: 'main' }, 'PullRequest', 'title', 256],
  [`POST /repos/octo/hello/statuses/${sha}`, { state: 'success' }, 'Status', 'description', 140],
])('%s %j of a %s: the %s may have %i characters', async (what, given, resource, field, most) => {
  const github = await start({ token })
  await addIssue(github, 'octo/hello', 7)
  const rejected = await write(github, what, { ...given, [field]: 'x'.repeat(most + 1) })
  const message = `${field} is too long (maximum is ${most} characters)`
  expect([rejected.status, rejected.json.errors]).toEqual([422, [{ resource, field, code: 'custom', message }]])
  const text = 'x'.repeat(most)
  expect((await write(github, what, { ...given, [field]: text })).json[field]).toBe(text)
})

describe('pull requests', () => {
  test('share their numbers, comments and labels with issues', async () => {
    const { github, rest, names } = await written()
    await rest.issues.create({ ...repo, title: 'An issue' })
    const { data } = await rest.pulls.create({ ...repo, title: 'New', head: 'octo:feature', base: 'main', draft: true })
    expect(data).toMatchObject({ number: 2, draft: true, head: { ref: 'feature' }, base: { ref: 'main' } })
    const at = { ...repo, issue_number: 2 }
    await rest.issues.addLabels({ ...at, labels: ['ready'] })
    await rest.issues.createComment({ ...at, body: 'Fine' })
    expect((await rest.pulls.get({ ...repo, pull_number: 2 })).data).toMatchObject({
      ...{ comments: 1, labels: [{ name: 'ready' }] },
    })
    expect((await rest.pulls.list(repo)).data.map(({ number }) => number)).toEqual([2])
    expect((await rest.issues.get(at)).data.pull_request?.html_url).toBe(`${github.webUrl}/octo/hello/pull/2`)
    expect(await ask(github, 'GET /repos/octo/hello/pulls/1', { token })).toMatchObject({ status: 404 })
    expect(await names()).toEqual([
      ...['issues.opened', 'pull_request.opened', 'pull_request.labeled', 'issue_comment.created'],
    ])
  })

  test('have a new head after a push to their branch', async () => {
    const { github, rest } = await written()
    const { pull_request: pull, ...payload } = sample('pull_request.opened')
    await github.deliver('pull_request.opened', { ...payload, pull_request: pull })
    const head = { ...pull.head, sha }
    await github.deliver('pull_request.synchronize', {
      ...payload,
      action: 'synchronize',
      pull_request: { ...pull, head },
    })
    const at = { owner: 'Codertocat', repo: 'Hello-World', pull_number: pull.number }
    expect((await rest.pulls.get(at)).data.head.sha).toBe(sha)
    github.headLag = 60_000
    expect((await rest.pulls.get(at)).data.head.sha).toBe(pull.head.sha)
    github.clock.advance(60_000)
    expect((await rest.pulls.get(at)).data.head.sha).toBe(sha)
  })

  test('list the files of the head branch that differ from those of the base branch', async () => {
    const { rest } = await written()
    const put = (path: string, branch: string, text: string, sha?: string) =>
      rest.repos.createOrUpdateFileContents({
        ...{ ...repo, path, branch, message: 'Write', content: Buffer.from(text).toString('base64') },
        ...(sha !== undefined && { sha }),
      })
    const same = await put('same.md', 'main', 'Same')
    const changed = await put('changed.md', 'main', 'Old')
    await createBranch(rest, repo, 'feature')
    await put('same.md', 'feature', 'Same', same.data.content?.sha)
    await put('changed.md', 'feature', 'New', changed.data.content?.sha)
    await put('docs/a file.md', 'feature', 'One\nTwo')
    const { data } = await rest.pulls.create({ ...repo, title: 'New', head: 'feature', base: 'main' })
    const files = await rest.pulls.listFiles({ ...repo, pull_number: data.number })
    expect(files.data).toMatchObject([
      { filename: 'changed.md', status: 'modified', additions: 1 },
      { filename: 'docs/a file.md', status: 'added', additions: 2 },
    ])
  })

  test('exist as soon as a delivery names them', async () => {
    const { github, rest } = await written()
    const payload = sample('pull_request.opened')
    await github.deliver('pull_request.opened', payload)
    const { number, head, base, title } = payload.pull_request
    const [owner = '', name = ''] = payload.repository.full_name.split('/')
    const { data } = await rest.pulls.get({ owner, repo: name, pull_number: number })
    expect(data).toMatchObject({ title, head: { sha: head.sha, ref: head.ref }, base: { ref: base.ref } })
  })
})

describe('lists of pull requests', () => {
  test('are limited by a branch, and by a commit', async () => {
    const { rest } = await written()
    await rest.repos.createOrUpdateFileContents({ ...repo, path: 'a', message: 'Add', content: 'SGk=' })
    for (const branch of ['one', 'two']) {
      await createBranch(rest, repo, branch)
      const file = { ...repo, path: branch, message: branch, content: 'SGk=', branch }
      await rest.repos.createOrUpdateFileContents(file)
      await rest.pulls.create({ ...repo, title: branch, head: branch, base: 'main' })
    }
    const list = async (query: object) => (await rest.pulls.list({ ...repo, ...query })).data.map(({ title }) => title)
    expect([await list({ head: 'octo:one' }), await list({ head: 'mona:one' })]).toEqual([['one'], []])
    expect([await list({ base: 'main', direction: 'asc' }), await list({ base: 'next' })]).toEqual([['one', 'two'], []])
    const { data } = await rest.git.getRef({ ...repo, ref: 'heads/two' })
    const found = await rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: data.object.sha })
    expect(found.data.map(({ title }) => title)).toEqual(['two'])
  })
})

describe('labels of a repository', () => {
  test('can be changed and deleted, also on the issues that have them', async () => {
    const { rest, names } = await written()
    for (const name of ['bug', 'other']) await rest.issues.createLabel({ ...repo, name })
    await rest.issues.create({ ...repo, title: 'One', labels: ['bug'] })
    await rest.issues.updateLabel({ ...repo, name: 'BUG', new_name: 'defect', color: 'ff0000' })
    const taken = rest.issues.updateLabel({ ...repo, name: 'defect', new_name: 'other' })
    await expect(taken).rejects.toMatchObject({ status: 422 })
    const labels = async () => (await rest.issues.listLabelsOnIssue({ ...repo, issue_number: 1 })).data
    expect(await labels()).toMatchObject([{ name: 'defect', color: 'ff0000' }])
    await expect(rest.issues.getLabel({ ...repo, name: 'bug' })).rejects.toMatchObject({ status: 404 })
    await rest.issues.deleteLabel({ ...repo, name: 'defect' })
    expect(await labels()).toEqual([])
    expect((await names()).filter((name) => name.startsWith('label.'))).toEqual([
      ...['label.created', 'label.created', 'label.edited', 'label.deleted'],
    ])
  })
})

describe('folders', () => {
  test('are listed with their files and folders', async () => {
    const { github, rest } = await written()
    github.addRepository('octo/hello', { files: { 'README.md': 'Hi', 'src/a.ts': 'a', 'src/b/c.ts': 'c' } })
    const list = async (path: string, ref?: string) =>
      (
        (await rest.repos.getContent({ ...repo, path, ...(ref && { ref }) })).data as { type: string; path: string }[]
      ).map(({ type, path }) => [type, path])
    const root = [
      ['file', 'README.md'],
      ['dir', 'src'],
    ]
    expect([await list(''), await list('', 'main')]).toEqual([root, root])
    expect(await list('src')).toEqual([
      ['file', 'src/a.ts'],
      ['dir', 'src/b'],
    ])
    await expect(list('sr')).rejects.toMatchObject({ status: 404 })
    const write = rest.repos.createOrUpdateFileContents({ ...repo, path: '', message: 'Add', content: 'SGk=' })
    await expect(write).rejects.toMatchObject({ status: 404 })
  })
})

test.each([{ state: 'closed', state_reason: 'wrong' }, { milestone: 1 }])('an issue with %j is 422', async (body) => {
  const { github, rest } = await written()
  await rest.issues.create({ ...repo, title: 'One' })
  expect(await write(github, 'PATCH /repos/octo/hello/issues/1', body)).toMatchObject({ status: 422 })
})

describe('files', () => {
  test('are created, read and replaced in a branch', async () => {
    const { github, rest } = await written()
    const at = { ...repo, path: 'docs/a file.md' }
    const content = Buffer.from('Hello, file').toString('base64')
    const made = await rest.repos.createOrUpdateFileContents({ ...at, message: 'Add', content })
    const sha = made.data.content?.sha ?? ''
    expect([made.status, sha]).toEqual([201, 'c6d699178890757ec7997149aacd7badaa87ea7d'])
    await createBranch(rest, repo, 'next')
    const other = { ...at, message: 'Change', content: Buffer.from('Changed').toString('base64'), branch: 'next' }
    expect((await rest.repos.createOrUpdateFileContents({ ...other, sha })).status).toBe(200)
    const read = async (ref?: string) => {
      const { data } = await rest.repos.getContent({ ...at, ...(ref !== undefined && { ref }) })
      return 'content' in data ? Buffer.from(data.content, 'base64').toString() : undefined
    }
    expect([await read(), await read('next'), await read('refs/heads/none')]).toEqual([
      ...['Hello, file', 'Changed', 'Hello, file'],
    ])
    expect(await ask(github, 'GET /repos/octo/hello/contents/none', { token })).toMatchObject({ status: 404 })
  })

  test.each(['application/vnd.github.raw+json', 'application/vnd.github.v3.raw'])('are read as %s', async (accept) => {
    const { github, rest } = await written()
    const at = { ...repo, path: '.github/bot.yml' }
    const text = 'greeting: Olé\n'
    await rest.repos.createOrUpdateFileContents({
      ...at,
      message: 'Add',
      content: Buffer.from(text).toString('base64'),
    })
    const headers = { accept, authorization: `Bearer ${token}` }
    const response = await fetch(`${github.url}/repos/octo/hello/contents/.github/bot.yml`, { headers })
    expect([await response.text(), response.headers.get('content-type')]).toEqual([text, `${accept}; charset=utf-8`])
  })

  test.each([
    [{ content: 'SGk=' }, 422, /"message" wasn't supplied/],
    [{ message: 'Change' }, 422, /"content" wasn't supplied/],
    [{ message: 'Change', content: 'Hello, file' }, 422, /^content is not valid Base64$/],
    [{ message: 'Change', content: 'SGk' }, 422, /^content is not valid Base64$/],
    [{ message: 'Change', content: 'SGVs\nbG8=' }, 422, /^content is not valid Base64$/],
    [{ message: 'Change', content: 'SGk=' }, 422, /"sha" wasn't supplied/],
    [{ message: 'Change', content: 'SGk=', sha: 'abc' }, 409, /^README\.md does not match abc$/],
  ])('are not replaced by %j', async (body, expected, message) => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const path = 'PUT /repos/octo/hello/contents/README.md'
    await write(github, path, { message: 'Add', content: 'SGk=' })
    const response = await fetch(`${github.url}/repos/octo/hello/contents/README.md`, {
      ...{ method: 'PUT', body: JSON.stringify(body), headers: { authorization: `Bearer ${token}` } },
    })
    const json = (await response.json()) as { message: string }
    expect([response.status, json.message]).toEqual([expected, expect.stringMatching(message)])
  })
})

describe('the deletion of a file', () => {
  const path = 'README.md'

  /** A repository with one file. */
  async function scene() {
    const { github, rest, events } = await written()
    const made = await rest.repos.createOrUpdateFileContents({ ...repo, path, message: 'Add', content: 'T25lClR3bwo=' })
    return { github, rest, events, sha: made.data.content?.sha ?? '' }
  }

  test('is a commit of the branch', async () => {
    const { rest, events, sha } = await scene()
    const { data } = await rest.repos.deleteFile({ ...repo, path, message: 'Delete', sha })
    expect(data).toMatchObject({ content: null, commit: { message: 'Delete' } })
    await expect(rest.repos.getContent({ ...repo, path })).rejects.toMatchObject({ status: 404 })
    const commit = (await rest.repos.getCommit({ ...repo, ref: 'main' })).data
    const file = {
      filename: path,
      status: 'removed',
      sha,
      additions: 0,
      deletions: 2,
      patch: '@@ -1,2 +0,0 @@\n-One\n-Two',
    }
    expect(commit).toMatchObject({ sha: data.commit.sha, stats: { additions: 0, deletions: 2 }, files: [file] })
    expect((await events()).at(-1)).toMatchObject({
      ...{ name: 'push.undefined', payload: { head_commit: { added: [], removed: [path], modified: [] } } },
    })
    expect((await rest.repos.createOrUpdateFileContents({ ...repo, path, message: 'Add', content: '' })).status).toBe(
      201,
    )
  })

  test('on the branch of a pull request is one of its changes, and its merge deletes the file', async () => {
    const { rest, sha } = await scene()
    await createBranch(rest, repo, 'feature')
    await rest.repos.deleteFile({ ...repo, path, message: 'Delete', sha, branch: 'feature' })
    const { data } = await rest.pulls.create({ ...repo, title: 'Delete', head: 'feature', base: 'main' })
    expect(data).toMatchObject({ additions: 0, deletions: 2, changed_files: 1 })
    const pull = { ...repo, pull_number: data.number }
    expect((await rest.pulls.listFiles(pull)).data).toMatchObject([{ filename: path, status: 'removed' }])
    expect((await rest.repos.getContent({ ...repo, path })).status).toBe(200)
    await rest.pulls.merge(pull)
    await expect(rest.repos.getContent({ ...repo, path })).rejects.toMatchObject({ status: 404 })
  })

  test('leaves no difference to a branch without the file', async () => {
    const { rest, sha } = await scene()
    const base = (await rest.git.getRef({ ...repo, ref: 'heads/main' })).data.object.sha
    const added = await rest.repos.createOrUpdateFileContents({
      ...repo,
      path: 'a.md',
      message: 'Add',
      content: 'SGk=',
    })
    await rest.repos.deleteFile({ ...repo, path: 'a.md', message: 'Delete', sha: added.data.content?.sha ?? '' })
    await rest.repos.deleteFile({ ...repo, path, message: 'Delete', sha })
    const { data } = await rest.repos.compareCommitsWithBasehead({ ...repo, basehead: `${base}...main` })
    expect(data.files).toMatchObject([{ filename: path, status: 'removed' }])
  })

  test.each([
    [path, { sha: 'SHA' }, 422, /"message" wasn't supplied/],
    [path, { message: 'Delete' }, 422, /"sha" wasn't supplied/],
    [path, { message: 'Delete', sha: 'abc' }, 409, /^README\.md does not match abc$/],
    ['none.md', { message: 'Delete', sha: 'SHA' }, 404, /^Not Found$/],
    [path, { message: 'Delete', sha: 'SHA', branch: 'none' }, 404, /^Branch none not found$/],
  ])('is rejected: %s %j', async (file, body, status, message) => {
    const { github, sha } = await scene()
    const sent = JSON.parse(JSON.stringify(body).replace('SHA', sha))
    const rejected = await write(github, `DELETE /repos/octo/hello/contents/${file}`, sent)
    expect([rejected.status, rejected.json.message]).toEqual([status, expect.stringMatching(message)])
  })
})

test('an archived repository can only be read', async () => {
  const github = await start({ token })
  github.addRepository('octo/old', { archived: true, files: { 'a.txt': 'a' } })
  expect((await ask(github, 'GET /repos/octo/old', { token })).json).toMatchObject({ archived: true })
  expect((await ask(github, 'GET /repos/octo/old/contents/a.txt', { token })).status).toBe(200)
  for (const what of [
    'POST /repos/octo/old/issues',
    'PUT /repos/octo/old/contents/b.txt',
    'POST /repos/octo/old/hooks',
  ]) {
    const { status, json } = await write(github, what, {})
    expect([status, json.message]).toEqual([403, 'Repository was archived so is read-only.'])
  }
})

describe('checks', () => {
  test('are created by an App, completed with a conclusion, and listed by commit', async () => {
    const { github, names } = await written()
    const app = github.addApp({ id: 3, slug: 'lint-bot', installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const { rest } = await botFor(github, app).getInstallationOctokit(5)
    const { data } = await rest.checks.create({ ...repo, name: 'lint', head_sha: sha, status: 'in_progress' })
    expect(data).toMatchObject({ status: 'in_progress', conclusion: null, app: { slug: 'lint-bot' } })
    const output = { title: 'All good', summary: 'No problems' }
    const done = await rest.checks.update({ ...repo, check_run_id: data.id, conclusion: 'success', output })
    expect(done.data).toMatchObject({ status: 'completed', completed_at: expect.any(String), output })
    await rest.checks.create({ ...repo, name: 'other', head_sha: sha.replace('d', 'e') })
    const listed = await rest.checks.listForRef({ ...repo, ref: sha, check_name: 'lint' })
    expect(listed.data).toMatchObject({ total_count: 1, check_runs: [{ id: data.id }] })
    expect((await names()).map((name) => name.split('.')[1])).toEqual(['created', 'completed', 'created'])
    const body = { name: 'lint', head_sha: sha }
    const byUser = await write(github, 'POST /repos/octo/hello/check-runs', body)
    expect([byUser.status, byUser.json.message]).toEqual([403, 'You must authenticate via a GitHub App.'])
    const change = await write(github, `PATCH /repos/octo/hello/check-runs/${data.id}`, { conclusion: 'failure' })
    expect(change.status).toBe(403)
  })

  test('keep the annotations of all requests, with 50 at most in each', async () => {
    const { github } = await written()
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const { rest } = await botFor(github, app).getInstallationOctokit(5)
    const annotation = {
      path: 'a b.md',
      start_line: 1,
      end_line: 2,
      annotation_level: 'warning',
      message: 'x',
    } as const
    const output = (count: number) => ({ title: 'a', summary: 'b', annotations: Array(count).fill(annotation) })
    const { data } = await rest.checks.create({ ...repo, name: 'lint', head_sha: sha, output: output(50) })
    const at = { ...repo, check_run_id: data.id }
    const changed = await rest.checks.update({ ...at, output: output(1) })
    expect(changed.data.output.annotations_count).toBe(51)
    const listed = await rest.checks.listAnnotations({ ...at, per_page: 50, page: 2 })
    expect(listed.data).toMatchObject([{ ...annotation, title: null }])
    for (const wrong of [output(51), { ...output(0), annotations: [{ ...annotation, annotation_level: 'bad' }] }]) {
      await expect(rest.checks.update({ ...at, output: wrong as never })).rejects.toMatchObject({ status: 422 })
    }
  })

  const note = { path: 'a.md', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'x' }
  const noted = (more: object) => ({ title: 'a', summary: 'b', annotations: [{ ...note, ...more }] })

  test.each<[string, object]>([
    ['a summary that is too long', { title: 'a', summary: 'x'.repeat(65_536) }],
    ['a text that is too long', { title: 'a', summary: 'b', text: 'x'.repeat(65_536) }],
    ['a text without a summary', { title: 'a', text: 'b' }],
    ['a text without a title', { summary: 'b' }],
    ['an annotation with a title that is too long', noted({ title: 'x'.repeat(256) })],
    ['an annotation with more than 64 KB', noted({ message: 'ü'.repeat(32_769) })],
    ['an annotation with details of more than 64 KB', noted({ raw_details: 'x'.repeat(65_537) })],
    ['an annotation with columns in several lines', noted({ end_line: 2, start_column: 1 })],
  ])('reject %s', async (_what, output) => {
    const { github } = await written()
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const { rest } = await botFor(github, app).getInstallationOctokit(5)
    const created = rest.checks.create({ ...repo, name: 'lint', head_sha: sha, output: output as never })
    await expect(created).rejects.toMatchObject({ status: 422 })
  })

  test('are listed by App, and only the latest one of a name', async () => {
    const { github } = await written()
    const installations = [{ id: 5, repositories: ['octo/hello'] }]
    const other = [{ id: 6, repositories: ['octo/hello'] }]
    const [first, second] = [github.addApp({ id: 3, installations }), github.addApp({ id: 4, installations: other })]
    const { rest } = await botFor(github, first).getInstallationOctokit(5)
    const create = async () => (await rest.checks.create({ ...repo, name: 'lint', head_sha: sha })).data.id
    const old = await create()
    const latest = await create()
    const foreign = await botFor(github, second).getInstallationOctokit(6)
    await foreign.rest.checks.create({ ...repo, name: 'lint', head_sha: sha })
    const list = async (more: object) =>
      (await rest.checks.listForRef({ ...repo, ref: sha, ...more })).data.check_runs.map(({ id }) => id)
    expect(await list({ app_id: 3 })).toEqual([latest])
    expect(await list({ app_id: 3, filter: 'all' })).toEqual([latest, old])
    expect(await list({})).toHaveLength(2)
  })

  test('that are completed stay completed', async () => {
    const { github } = await written()
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const { rest } = await botFor(github, app).getInstallationOctokit(5)
    const { data } = await rest.checks.create({ ...repo, name: 'lint', head_sha: sha, conclusion: 'failure' })
    const changed = await rest.checks.update({ ...repo, check_run_id: data.id, status: 'in_progress' })
    expect(changed.data).toMatchObject({ status: 'completed', conclusion: 'failure' })
  })

  test('need the whole SHA of a commit', async () => {
    const { github } = await written()
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const octokit = await botFor(github, app).getInstallationOctokit(5)
    const short = octokit.rest.checks.create({ ...repo, name: 'lint', head_sha: sha.slice(0, 7) })
    await expect(short).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('No commit found for SHA: d670460'),
    })
  })

  test('include the statuses of a commit, newest first', async () => {
    const { rest } = await written()
    for (const state of ['pending', 'success'] as const) await rest.repos.createCommitStatus({ ...repo, sha, state })
    const { data } = await rest.repos.listCommitStatusesForRef({ ...repo, ref: sha })
    expect(data.map(({ state }) => state)).toEqual(['success', 'pending'])
  })

  test('have a combined status, of the latest status in each context', async () => {
    const { rest } = await written()
    const stateOf = async (ref: string) => (await rest.repos.getCombinedStatusForRef({ ...repo, ref })).data.state
    const head = (await rest.repos.getBranch({ ...repo, branch: 'main' })).data.commit.sha
    const set = (context: string, state: 'pending' | 'success' | 'error') =>
      rest.repos.createCommitStatus({ ...repo, sha: head, state, context })
    expect([await stateOf('main'), await stateOf(sha)]).toEqual(['pending', 'pending'])
    await set('lint', 'error')
    await set('test', 'success')
    expect(await stateOf('main')).toBe('failure')
    await set('lint', 'success')
    expect(await stateOf(head)).toBe('success')
    const { data } = await rest.repos.getCombinedStatusForRef({ ...repo, ref: 'main' })
    expect(data).toMatchObject({ sha: head, total_count: 2, statuses: [{ context: 'lint' }, { context: 'test' }] })
  })
})

describe('the event of a write', () => {
  test('goes to the webhooks of the repository, its organization and its Apps', async () => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    const installed = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['acme/shop'] }] })
    const elsewhere = github.addApp({ id: 4, installations: [{ id: 6, account: 'other' }] })
    const owners = [{ app: installed }, { app: elsewhere }, { organization: 'acme' }, { organization: 'other' }]
    for (const owner of [...owners, { repository: 'acme/shop' }, { repository: 'acme/other' }])
      github.addHook({ ...owner, url, secret, events: ['issue_comment'] })
    const { rest } = await botFor(github, installed).getInstallationOctokit(5)
    await addIssue(github, 'acme/shop', 1)
    await rest.issues.createComment({ owner: 'acme', repo: 'shop', issue_number: 1, body: 'Hi' })
    await github.idle()
    expect(deliveries.map(({ targetType }) => targetType).toSorted()).toEqual([
      ...['integration', 'organization', 'repository'],
    ])
    expect(new Set(deliveries.map(({ guid }) => guid)).size).toBe(1)
    expect(deliveries[0]?.payload).toMatchObject({ sender: { login: 'app-3[bot]', type: 'Bot' } })
  })
})
