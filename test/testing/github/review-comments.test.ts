/** Comments at lines of a pull request: in a review, alone, and as answers. */
import { expect, test } from 'vitest'
import { sample } from '../../../src/testing/index.ts'
import { expectDescribedPayload } from './described.ts'
import { ask, createBranch, octokitFor, secret, start, startReceiver } from './scene.ts'

const token = 'right'
const repo = { owner: 'octo', repo: 'hello' }
const lines = (...texts: (string | number)[]) => texts.map((text) => `${text}\n`).join('')

/** A pull request that changes line 5 of `a.md` from "five" to "FIVE", and deletes `b.md`. */
async function scene() {
  const [github, { url }] = [await start({ token }), await startReceiver()]
  const a = lines(1, 2, 3, 4, 'five', 6, 7, 8, 9, 10)
  github.addRepository('octo/hello', { files: { 'a.md': a, 'b.md': lines('gone') } })
  const hook = github.addHook({
    repository: 'octo/hello',
    url,
    secret,
    events: ['pull_request_review_comment', 'pull_request_review'],
  })
  const { rest } = octokitFor(github, token)
  await createBranch(rest, repo, 'feature')
  const shaOf = async (path: string) => ((await rest.repos.getContent({ ...repo, path })).data as { sha: string }).sha
  const content = Buffer.from(a.replace('five', 'FIVE')).toString('base64')
  const change = { ...repo, branch: 'feature', message: 'Change' }
  await rest.repos.createOrUpdateFileContents({ ...change, path: 'a.md', content, sha: await shaOf('a.md') })
  const last = await rest.repos.deleteFile({ ...change, path: 'b.md', sha: await shaOf('b.md') })
  const { number } = (await rest.pulls.create({ ...repo, title: 'Change', head: 'feature', base: 'main' })).data
  const events = async () => {
    await github.idle()
    return github
      .deliveries(hook)
      .map(({ event, action, request }) => ({ name: `${event}.${action}`, payload: request.payload }))
  }
  return { github, rest, pull: { ...repo, pull_number: number }, commit_id: last.data.commit.sha ?? '', events }
}

test('a comment at a line has the diff up to the line, and a review of its own', async () => {
  const { rest, pull, commit_id, events } = await scene()
  const { data } = await rest.pulls.createReviewComment({ ...pull, commit_id, path: 'a.md', line: 5, body: 'Why?' })
  expect(data).toMatchObject({ line: 5, side: 'RIGHT', start_line: null, position: 5, subject_type: 'line', commit_id })
  expect(data.diff_hunk).toBe('@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-five\n+FIVE')
  expect((await rest.pulls.listReviews(pull)).data).toMatchObject([
    { id: data.pull_request_review_id, state: 'COMMENTED' },
  ])
  expect((await rest.pulls.get(pull)).data.review_comments).toBe(1)
  expect((await events()).map(({ name }) => name)).toEqual([
    ...['pull_request_review.submitted', 'pull_request_review_comment.created'],
  ])
})

test.each([
  ['an old line', { path: 'a.md', line: 5, side: 'LEFT' }, { line: 5, side: 'LEFT', position: 4 }],
  ['a deleted line', { path: 'b.md', line: 1, side: 'LEFT' }, { side: 'LEFT', diff_hunk: '@@ -1 +0,0 @@\n-gone' }],
  ['an unchanged line', { path: 'a.md', line: 2 }, { position: 1, diff_hunk: '@@ -2,7 +2,7 @@\n 2' }],
  ['a position', { path: 'a.md', position: 4 }, { line: 5, side: 'LEFT', position: 4 }],
  ['several lines', { path: 'a.md', start_line: 3, line: 5 }, { start_line: 3, line: 5, start_side: 'RIGHT' }],
  ['a file', { path: 'a.md', subject_type: 'file' }, { subject_type: 'file' }],
])('a comment can be at %s', async (_, place, expected) => {
  const { github, pull, commit_id } = await scene()
  const body = { ...place, commit_id, body: 'Why?' }
  const made = await ask(github, `POST /repos/octo/hello/pulls/${pull.pull_number}/comments`, { token, body })
  expect([made.status, made.json]).toMatchObject([201, expected])
})

const thread = 'pull_request_review_thread'
const resource = 'PullRequestReviewComment'
const noHunk = { resource, code: 'missing_field', field: `${thread}.diff_hunk` }
const custom = (field: string, text: string) => {
  return { resource, code: 'custom', field: `${thread}.${field}`, message: `${thread}.${field} ${text}` }
}

test.each([
  ['a line outside of the diff', { path: 'a.md', line: 9 }, [custom('line', 'must be part of the diff'), noHunk]],
  ['a new line of a deleted file', { path: 'b.md', line: 1 }, [custom('line', 'must be part of the diff'), noHunk]],
  ['an unchanged file', { path: 'c.md', line: 1 }, [{ resource, code: 'invalid', field: `${thread}.path` }, noHunk]],
  [
    'a position outside of the diff',
    { path: 'a.md', position: 99 },
    [{ resource, code: 'invalid', field: `${thread}.position` }, noHunk],
  ],
  [
    ...(['a start outside of the diff', { path: 'a.md', start_line: 1, line: 5 }] as const),
    [custom('start_line', 'must be part of the same hunk as the line.')],
  ],
  [
    ...(['a start after the end', { path: 'a.md', start_line: 5, line: 5 }] as const),
    [custom('start_line', 'must precede the end line.')],
  ],
  [
    ...(['a commit of another branch', { path: 'a.md', line: 5, commit_id: 'a'.repeat(40) }] as const),
    [custom('end_commit_oid', 'is not part of the pull request'), noHunk],
  ],
])('a comment is rejected at %s', async (_, place, errors) => {
  const { github, rest, pull, commit_id } = await scene()
  const body = { commit_id, body: 'Why?', ...place }
  const rejected = await ask(github, `POST /repos/octo/hello/pulls/${pull.pull_number}/comments`, { token, body })
  expect([rejected.status, rejected.json]).toMatchObject([422, { message: 'Validation Failed', errors }])
  expect((await rest.pulls.listReviews(pull)).data).toEqual([])
})

test.each([
  [{ path: 'a.md', line: 5 }, /"body" wasn't supplied/],
  [{ body: 'Why?', line: 5 }, /"path" wasn't supplied/],
  [
    { body: 'Why?', path: 'a.md' },
    /^Invalid request\.\n\nNo subschema in "oneOf" matched\.\n.*"line" wasn't supplied\.$/s,
  ],
  [
    { body: 'Why?', path: 'a.md', line: 5, subject_type: 'line' },
    /"subject_type" is not a permitted key\.\n"line" is not/,
  ],
  [{ body: 'x'.repeat(65_537), path: 'a.md', line: 5 }, /^Validation Failed$/],
])('a comment is rejected with other members: %j', async (given, message) => {
  const { github, pull, commit_id } = await scene()
  const root = `POST /repos/octo/hello/pulls/${pull.pull_number}/comments`
  const rejected = await ask(github, root, { token, body: { commit_id, ...given } })
  expect([rejected.status, rejected.json.message]).toEqual([422, expect.stringMatching(message)])
})

test('a comment is answered, edited and deleted, and each change sends its event', async () => {
  const { github, rest, pull, commit_id, events } = await scene()
  const first = (await rest.pulls.createReviewComment({ ...pull, commit_id, path: 'a.md', line: 5, body: 'Why?' })).data
  const answer = (await rest.pulls.createReplyForReviewComment({ ...pull, comment_id: first.id, body: 'So' })).data
  expect(answer).toMatchObject({ in_reply_to_id: first.id, path: 'a.md', line: 5, body: 'So' })
  expect(answer.pull_request_review_id).not.toBe(first.pull_request_review_id)
  const root = `POST /repos/octo/hello/pulls/${pull.pull_number}/comments`
  const same = await ask(github, root, { token, body: { body: 'Or so', in_reply_to: first.id } })
  expect([same.status, same.json.in_reply_to_id]).toEqual([201, first.id])
  expect((await ask(github, root, { token, body: { body: 'And', in_reply_to: answer.id } })).status).toBe(422)
  expect((await ask(github, `${root}/1/replies`, { token, body: { body: 'And' } })).status).toBe(404)
  github.clock.advance(60_000)
  const at = { ...repo, comment_id: first.id }
  expect((await rest.pulls.updateReviewComment({ ...at, body: 'Why not?' })).data.body).toBe('Why not?')
  expect((await rest.pulls.listReviewComments(pull)).data.map(({ body }) => body)).toEqual(['Why not?', 'So', 'Or so'])
  const updated = await rest.pulls.listReviewCommentsForRepo({
    ...repo,
    sort: 'updated',
    direction: 'desc',
    per_page: 1,
  })
  expect(updated.data.map(({ body }) => body)).toEqual(['Why not?'])
  await rest.pulls.deleteReviewComment({ ...repo, comment_id: answer.id })
  expect((await rest.pulls.listReviewComments(pull)).data).toHaveLength(2)
  await rest.reactions.createForPullRequestReviewComment({ ...at, content: 'eyes' })
  expect((await rest.pulls.getReviewComment(at)).data.reactions).toMatchObject({ eyes: 1 })
  const sent = (await events()).filter(({ name }) => name.startsWith('pull_request_review_comment'))
  expect(sent.map(({ name }) => name.split('.')[1])).toEqual(['created', 'created', 'created', 'edited', 'deleted'])
  expect(sent[3]?.payload).toMatchObject({ changes: { body: { from: 'Why?' } }, comment: { body: 'Why not?' } })
  for (const { name, payload } of sent) expectDescribedPayload(name, payload)
})

test('a review has its comments, and is stored only if all are in the diff', async () => {
  const { github, rest, pull, commit_id, events } = await scene()
  const at = `POST /repos/octo/hello/pulls/${pull.pull_number}/reviews`
  const comments = [
    { path: 'a.md', line: 5, body: 'One' },
    { path: 'a.md', position: 1, body: 'Two' },
  ]
  const review = (given: object) => ask(github, at, { token, body: { event: 'COMMENT', ...given } })
  const outside = await review({ comments: [...comments, { path: 'a.md', line: 99, start_line: 98, body: 'Three' }] })
  const texts = [
    ...['line must be part of the diff', 'start line must be part of the same hunk as the line.'],
    "diff hunk can't be blank",
  ].map((text) => `Pull request review thread ${text}`)
  expect([outside.status, outside.json]).toMatchObject([
    422,
    { message: 'Unprocessable Entity', errors: [`${texts[0]}, ${texts[1]}, and ${texts[2]}`] },
  ])
  expect((await review({ comments, commit_id: 'a'.repeat(40) })).status).toBe(422)
  expect((await review({ comments: [{ path: 'a.md', line: 5 }] })).status).toBe(422)
  expect((await review({ event: 'REQUEST_CHANGES', comments })).status).toBe(422)
  expect((await rest.pulls.listReviewComments(pull)).data).toEqual([])
  const { status, json } = await review({ comments, commit_id })
  expect(status).toBe(200)
  const ofReview = { ...pull, review_id: json.id }
  expect((await rest.pulls.getReview(ofReview)).data).toMatchObject({ state: 'COMMENTED', commit_id })
  expect((await rest.pulls.listCommentsForReview(ofReview)).data.map(({ body }) => body)).toEqual(['One', 'Two'])
  await expect(rest.pulls.getReview({ ...pull, review_id: 1 })).rejects.toMatchObject({ status: 404 })
  await expect(rest.pulls.listCommentsForReview({ ...pull, review_id: 1 })).rejects.toMatchObject({ status: 404 })
  expect((await events()).map(({ name }) => name)).toEqual([
    ...['pull_request_review.submitted', 'pull_request_review_comment.created', 'pull_request_review_comment.created'],
  ])
})

test.each(['pull_request_review.submitted', 'pull_request_review.dismissed'] as const)(
  'the review of a delivery exists: %s',
  async (name) => {
    const github = await start({ token })
    const payload = sample(name)
    await github.deliver(name, payload)
    await github.deliver(name, payload)
    const { rest } = octokitFor(github, token)
    const { review, pull_request: pull, repository } = payload
    const at = { owner: repository.owner.login, repo: repository.name, pull_number: pull.number }
    expect((await rest.pulls.listReviews(at)).data).toMatchObject([{ id: review.id, commit_id: review.commit_id }])
    const found = (await rest.pulls.getReview({ ...at, review_id: review.id })).data
    expect([found.state, found.user?.login]).toEqual([review.state.toUpperCase(), review.user?.login])
    expect((await rest.pulls.listCommentsForReview({ ...at, review_id: review.id })).data).toEqual([])
  },
)

test('the comment of a delivery exists, and any line of its pull request can be commented on', async () => {
  const github = await start({ token })
  const payload = sample('pull_request_review_comment.created')
  await github.deliver('pull_request_review_comment.created', payload)
  const { rest } = octokitFor(github, token)
  const { comment, pull_request: pull, repository } = payload
  const at = { owner: repository.owner.login, repo: repository.name }
  expect((await rest.pulls.getReviewComment({ ...at, comment_id: comment.id })).data).toMatchObject({
    ...{ body: comment.body, path: comment.path, user: { login: comment.user?.login }, commit_id: comment.commit_id },
  })
  const place = { commit_id: pull.head.sha, path: 'any.md', line: 70, body: 'Why?' }
  const made = await rest.pulls.createReviewComment({ ...at, pull_number: pull.number, ...place })
  expect(made.data).toMatchObject({ path: 'any.md', line: 70, diff_hunk: '' })
})
