/** The types of the members of a delivery for bots. Nothing here runs: `tsc` is the test. */
import type { Octokit } from 'octokit'
import * as v from 'valibot'
import type { ChangedFiles, CheckConclusion, Delivery, Hooks } from '../../src/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_Claim extends true>(): void => {}

declare const hooks: Hooks
declare const octokit: Octokit

hooks.on('issues.opened', async ({ repo, issue, octokit }) => {
  const { rest } = await octokit()
  await rest.issues.createComment(issue({ body: 'Hi' }))
  await rest.issues.update(issue({ state: 'closed', labels: ['bug'] }))
  await rest.issues.get(issue())
  await rest.repos.getContent({ ...repo(), path: 'README.md' })
  await rest.checks.create(repo({ name: 'ci', head_sha: 'a', status: 'in_progress' }))
  await rest.issues.createComment({ ...issue(), body: 'Hi' })
  holds<Equal<ReturnType<typeof issue>['issue_number'], number>>()
  // @ts-expect-error: the comment has no text
  await rest.issues.createComment(issue())
  // @ts-expect-error: no such state
  await rest.issues.update(issue({ state: 'shut' }))
})

// An event that may be about a pull request.
hooks.on(['issue_comment.created', 'pull_request_review.submitted'], ({ pullRequest, issue, isBot }) => {
  holds<Equal<typeof isBot, boolean>>()
  return isBot ? undefined : [octokit.rest.pulls.get(pullRequest()), issue()]
})
hooks.on('pull_request', (delivery) => octokit.rest.pulls.merge(delivery.pullRequest({ merge_method: 'squash' })))

// Events whose payloads never have what the call needs.
hooks.on('push', (delivery) => {
  holds<Equal<ReturnType<typeof delivery.repo>['owner'], string>>()
  // @ts-expect-error: a push has no issue
  delivery.issue()
  // @ts-expect-error: a push has no pull request
  delivery.pullRequest()
  // The error of a call with arguments also names the reason, and not the arguments.
  holds<Equal<Parameters<typeof delivery.issue>, unknown[]>>()
  holds<Equal<ThisParameterType<typeof delivery.issue>, 'This event has no issue'>>()
})
hooks.on('projects_v2_item', ({ repo }) => {
  // @ts-expect-error: an item of a project has no repository
  repo()
})
hooks.on(['push', 'issues.opened'], (delivery) => {
  // @ts-expect-error: the delivery may be a push
  delivery.issue()
  if (delivery.event === 'issues') delivery.issue()
})
hooks.schedule('stale', '0 3 * * *', { each: 'repository' }, ({ repo, issue }) => {
  // @ts-expect-error: a schedule has no issue
  issue()
  return repo()
})

hooks.command('/merge', { on: ['pull_request'], edits: true }, (delivery) => {
  if (delivery.event === 'issue_comment') holds<Equal<typeof delivery.payload.comment.body, string>>()
  const any: Delivery = delivery
  return [any.guid, octokit.rest.pulls.merge(delivery.pullRequest({ merge_method: 'squash' }))]
})

// Any event, and an event that is newer than this version.
hooks.on('*', ({ repo, issue, pullRequest }) => [repo(), issue(), pullRequest()])
hooks.on('brand_new' as string, ({ repo, issue }) => [repo(), issue({ body: '' })])
const anyDelivery = (delivery: Delivery) => delivery.repo()
hooks.on('push', anyDelivery)
hooks.on(['issues', 'installation'], anyDelivery)

// Changed files.
hooks.on('push', async ({ changedFiles }) => holds<Equal<Awaited<ReturnType<typeof changedFiles>>, ChangedFiles>>())
hooks.on('pull_request_review.submitted', { paths: ['docs/**'] }, ({ changedFiles }) => changedFiles())
hooks.on('issues', ({ changedFiles }) => {
  // @ts-expect-error: an issue has no changed files
  changedFiles()
})
// @ts-expect-error: paths is a list
hooks.on('push', { paths: 'docs/**' }, () => {})
// @ts-expect-error: a schedule has no changed files
hooks.schedule('stale', '0 3 * * *', { paths: ['docs/**'] }, () => {})

// Settings.
const schema = v.object({ label: v.optional(v.string(), 'bug') })
hooks.on('issues.opened', async ({ config }) => {
  const settings = await config('labeler.yml', schema)
  holds<Equal<typeof settings, { label: string } | undefined>>()
  holds<Equal<Awaited<ReturnType<typeof config<typeof schema>>>, { label: string } | undefined>>()
  const unchecked = await config('labeler.yml')
  holds<Equal<typeof unchecked, Record<string, unknown> | undefined>>()
  const reported = await config('labeler.yml', schema, { check: true })
  holds<Equal<typeof reported, typeof settings>>()
  await config('labeler.yml', undefined, { check: true })
  // @ts-expect-error: not a schema
  await config('labeler.yml', { label: 'string' })
})
hooks.on('projects_v2_item', ({ config }) => {
  // @ts-expect-error: an item of a project has no repository
  config('labeler.yml')
})

// Checks.
hooks.on('pull_request.opened', async ({ check }) => {
  const conclusion = await check('lint', async ({ annotate, signal, update }) => {
    holds<Equal<typeof signal, AbortSignal>>()
    await update({ title: 'Half of it' })
    annotate({ path: 'a.ts', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'Short' })
    // @ts-expect-error: no such level
    annotate({ path: 'a.ts', start_line: 1, end_line: 1, annotation_level: 'error', message: 'Short' })
    return 'success'
  })
  holds<Equal<typeof conclusion, CheckConclusion>>()
  await check({ name: 'lint', headSha: 'a' }, async () => ({ conclusion: 'neutral', title: 'Done' }))
  await check('lint', async () => {})
  // @ts-expect-error: no such conclusion
  await check('lint', async () => 'passed')
})
