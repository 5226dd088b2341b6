/** The events that writes send have the payloads that GitHub describes. */
import { expect, test } from 'vitest'
import { expectDescribedPayload } from './described.ts'
import { botFor, octokitFor, secret, sha, start, startReceiver } from './scene.ts'

const repo = { owner: 'acme', repo: 'shop' }

/** A repository of an organization, with a webhook and an App. `sent` are the payloads by the name of their event. */
async function written() {
  const [github, { url }] = [await start({ token: 'right' }), await startReceiver()]
  const app = github.addApp({ id: 3, installations: [{ id: 5, account: 'acme', repositories: ['acme/shop'] }] })
  const hook = github.addHook({ repository: 'acme/shop', url, secret })
  const sent = async () => {
    await github.idle()
    const deliveries = github.deliveries(hook)
    return deliveries.map(({ event, action, request }) => ({
      ...{ name: action === undefined ? event : `${event}.${action}`, payload: request.payload },
    }))
  }
  return {
    github,
    rest: octokitFor(github, 'right').rest,
    bot: await botFor(github, app).getInstallationOctokit(5),
    sent,
  }
}

/** Writes a file, which creates the branch if it does not exist. */
const write = (rest: Awaited<ReturnType<typeof written>>['rest'], branch: string, path: string) =>
  rest.repos.createOrUpdateFileContents({ ...repo, branch, path, message: `Add ${path}`, content: 'SGk=' })

test('about issues, comments, labels and checks', async () => {
  const { github, rest, bot, sent } = await written()
  github.addCollaborator('acme/shop', 'mona')
  const { data } = await rest.issues.create({ ...repo, title: 'New', labels: ['bug'], assignees: ['mona'] })
  const issue = { ...repo, issue_number: data.number }
  await rest.issues.createComment({ ...issue, body: 'Hi' })
  await rest.issues.addAssignees({ ...issue, assignees: ['octocat'] })
  await rest.issues.removeAssignees({ ...issue, assignees: ['mona'] })
  await rest.issues.setLabels({ ...issue, labels: ['done'] })
  await rest.issues.createLabel({ ...repo, name: 'help', color: 'ffffff' })
  await bot.rest.checks.create({ ...repo, name: 'lint', head_sha: sha, conclusion: 'success' })
  await rest.issues.update({ ...issue, state: 'closed' })
  const all = await sent()
  expect(all.map(({ name }) => name)).toEqual([
    ...['issues.opened', 'issue_comment.created', 'issues.assigned', 'issues.unassigned', 'issues.unlabeled'],
    ...['issues.labeled', 'label.created', 'check_run.completed', 'issues.closed'],
  ])
  const described = all.filter(({ name }) => !['issues.opened', 'issues.labeled'].includes(name))
  for (const { name, payload } of described) expectDescribedPayload(name, payload)
})

test('about pull requests, reviews and pushes', async () => {
  const { rest, bot, sent } = await written()
  await write(rest, 'main', 'README.md')
  await write(rest, 'feature', 'new.md')
  const { data } = await rest.pulls.create({ ...repo, title: 'Add new.md', head: 'feature', base: 'main' })
  const pull = { ...repo, pull_number: data.number }
  await write(rest, 'feature', 'newer.md')
  await rest.pulls.update({ ...pull, title: 'Add two files' })
  await rest.pulls.update({ ...pull, state: 'closed' })
  await rest.pulls.update({ ...pull, state: 'open' })
  await bot.rest.pulls.createReview({ ...pull, event: 'APPROVE' })
  await rest.pulls.merge(pull)
  const all = await sent()
  expect(all.map(({ name }) => name)).toEqual([
    ...['push', 'create', 'push', 'pull_request.opened', 'push', 'pull_request.synchronize', 'pull_request.edited'],
    ...['pull_request.closed', 'pull_request.reopened', 'pull_request_review.submitted', 'push', 'pull_request.closed'],
  ])
  for (const { name, payload } of all) expectDescribedPayload(name, payload)
  await rest.git.deleteRef({ ...repo, ref: 'heads/feature' })
  const [deleted, push] = (await sent()).slice(all.length)
  expectDescribedPayload('delete', deleted?.payload ?? {})
  expect(push?.payload).toMatchObject({ deleted: true, after: '0'.repeat(40), head_commit: null })
  const { data: merged } = await rest.pulls.get(pull)
  expect(merged).toMatchObject({ merged: true, commits: 2, changed_files: 2, state: 'closed' })
  const [, last] = all.filter(({ name }) => name === 'push').slice(-2)
  expect(last?.payload).toMatchObject({
    ...{ ref: 'refs/heads/main', after: merged.merge_commit_sha, created: false, deleted: false },
    commits: [{ added: ['new.md'] }, { added: ['newer.md'] }, { added: ['new.md', 'newer.md'] }],
  })
})
