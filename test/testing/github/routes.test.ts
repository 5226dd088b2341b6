/** Every route is one of GitHub's, and answers as GitHub's description says. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { routes } from '../../../src/testing/github/api/routes.ts'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { codeFor } from './browser.ts'
import { templateOf } from './described.ts'
import { jwtOf } from './jwt.ts'
import { addIssue, ask, secret, sha, start } from './scene.ts'

/** A request that succeeds. HOOK and DELIVERY stand for ids of existing objects, CODE for the code of a new App. */
interface Success {
  path: string
  as?: 'app' | 'installation' | 'anyone'
  body?: object
  status?: number
}

const app = '/app/installations/{installation_id}'
const calls: Record<string, Success> = {
  'GET /meta': { path: '/meta' },
  'GET /user': { path: '/user' },
  'GET /repos/{owner}/{repo}': { path: '/repos/octo/hello' },
  ...contentCalls(),
  'GET /search/repositories': { path: '/search/repositories?q=hello+user:octo' },
  'GET /search/code': { path: '/search/code?q=hi+repo:octo/hello' },
  'GET /search/issues': { path: '/search/issues?q=is:open+label:bug' },
  ...hookCalls('/repos/{owner}/{repo}', '/repos/octo/hello'),
  ...hookCalls('/orgs/{org}', '/orgs/octo-org'),
  ...configAndDeliveries('/app/hook', '/app/hook', 'app'),
  'POST /app-manifests/{code}/conversions': { path: '/app-manifests/CODE/conversions', as: 'anyone', status: 201 },
  'GET /app': { path: '/app', as: 'app' },
  'GET /app/installations': { path: '/app/installations', as: 'app' },
  [`GET ${app}`]: { path: '/app/installations/5', as: 'app' },
  [`POST ${app}/access_tokens`]: { path: '/app/installations/5/access_tokens', as: 'app', status: 201 },
  'GET /repos/{owner}/{repo}/installation': { path: '/repos/octo/hello/installation', as: 'app' },
  'GET /apps/{app_slug}': { path: '/apps/app-3', as: 'anyone' },
  [`DELETE ${app}`]: { path: '/app/installations/5', as: 'app', status: 204 },
  [`PUT ${app}/suspended`]: { path: '/app/installations/5/suspended', as: 'app', status: 204 },
  [`DELETE ${app}/suspended`]: { path: '/app/installations/5/suspended', as: 'app', status: 204 },
  'GET /orgs/{org}/installation': { path: '/orgs/acme/installation', as: 'app' },
  'GET /users/{username}/installation': { path: '/users/octo/installation', as: 'app' },
  'GET /installation/repositories': { path: '/installation/repositories', as: 'installation' },
}

/** Issue 7 has a label and the comment COMMENT. Pull request 8, README.md with the SHA BLOB and the check run RUN exist. */
function contentCalls(): Record<string, Success> {
  const [template, root] = ['/repos/{owner}/{repo}', '/repos/octo/hello']
  const [issue, path] = [`${template}/issues/{issue_number}`, `${root}/issues/7`]
  const comment = `${template}/issues/comments/{comment_id}`
  const run = `${template}/check-runs/{check_run_id}`
  const [body, as] = [{ body: 'Hi' }, 'installation' as const]
  return {
    [`GET ${template}/issues`]: { path: `${root}/issues` },
    [`POST ${template}/issues`]: { path: `${root}/issues`, body: { title: 'New', labels: ['bug'] }, status: 201 },
    [`GET ${issue}`]: { path },
    [`PATCH ${issue}`]: { path, body: { state: 'closed', labels: ['done'] } },
    [`GET ${issue}/comments`]: { path: `${path}/comments` },
    [`POST ${issue}/comments`]: { path: `${path}/comments`, body, status: 201, as },
    [`GET ${comment}`]: { path: `${root}/issues/comments/COMMENT` },
    [`PATCH ${comment}`]: { path: `${root}/issues/comments/COMMENT`, body },
    [`DELETE ${comment}`]: { path: `${root}/issues/comments/COMMENT`, status: 204 },
    [`GET ${issue}/labels`]: { path: `${path}/labels` },
    [`POST ${issue}/labels`]: { path: `${path}/labels`, body: { labels: ['a', { name: 'b' }] } },
    [`PUT ${issue}/labels`]: { path: `${path}/labels`, body: { labels: ['a'] } },
    [`DELETE ${issue}/labels`]: { path: `${path}/labels`, status: 204 },
    [`DELETE ${issue}/labels/{name}`]: { path: `${path}/labels/bug` },
    [`GET ${template}/labels`]: { path: `${root}/labels` },
    [`POST ${template}/labels`]: { path: `${root}/labels`, body: { name: 'new', color: 'ff0000' }, status: 201 },
    [`GET ${template}/labels/{name}`]: { path: `${root}/labels/bug` },
    [`PATCH ${template}/labels/{name}`]: { path: `${root}/labels/bug`, body: { new_name: 'defect', color: 'ff0000' } },
    [`DELETE ${template}/labels/{name}`]: { path: `${root}/labels/bug`, status: 204 },
    [`GET ${template}/commits/{commit_sha}/pulls`]: { path: `${root}/commits/FEATURE/pulls` },
    [`POST ${issue}/assignees`]: { path: `${path}/assignees`, body: { assignees: ['octocat'] }, status: 201 },
    [`DELETE ${issue}/assignees`]: { path: `${path}/assignees`, body: { assignees: ['octocat'] } },
    ...reactionCalls(`${issue}/reactions`, `${path}/reactions`),
    ...reactionCalls(`${comment}/reactions`, `${root}/issues/comments/COMMENT/reactions`),
    ...reactionCalls(`${template}/pulls/comments/{comment_id}/reactions`, `${root}/pulls/comments/9/reactions`),
    [`GET ${template}/collaborators/{username}/permission`]: { path: `${root}/collaborators/octo/permission` },
    'GET /user/memberships/orgs/{org}': { path: '/user/memberships/orgs/acme' },
    'GET /orgs/{org}/teams/{team_slug}/memberships/{username}': { path: '/orgs/acme/teams/ops/memberships/octocat' },
    ...pullCalls(`${template}/pulls`, `${root}/pulls`),
    [`GET ${template}/contents/{path}`]: { path: `${root}/contents/README.md` },
    [`PUT ${template}/contents/{path}`]: {
      ...{ path: `${root}/contents/docs%2Fnew.md`, body: { message: 'Add', content: 'SGk=' }, status: 201 },
    },
    [`DELETE ${template}/contents/{path}`]: {
      ...{ path: `${root}/contents/README.md`, body: { message: 'Delete', sha: 'BLOB' } },
    },
    ...codeCalls(template, root),
    ...releaseCalls(`${template}/releases`, `${root}/releases`),
    [`POST ${template}/check-runs`]: {
      ...{ path: `${root}/check-runs`, body: { name: 'lint', head_sha: sha }, status: 201, as },
    },
    [`GET ${run}`]: { path: `${root}/check-runs/RUN` },
    [`GET ${run}/annotations`]: { path: `${root}/check-runs/RUN/annotations` },
    [`PATCH ${run}`]: { path: `${root}/check-runs/RUN`, body: { conclusion: 'success' }, as },
    [`GET ${template}/commits/{ref}/check-runs`]: { path: `${root}/commits/${sha}/check-runs` },
    [`POST ${template}/statuses/{sha}`]: { path: `${root}/statuses/${sha}`, body: { state: 'success' }, status: 201 },
    [`GET ${template}/commits/{ref}/status`]: { path: `${root}/commits/main/status` },
    [`GET ${template}/commits/{ref}/statuses`]: { path: `${root}/commits/${sha}/statuses` },
  }
}

/** The branch `feature` has the commit FEATURE, which `main` lacks. The annotated tag TAG exists. */
function codeCalls(template: string, root: string): Record<string, Success> {
  return {
    [`GET ${template}/branches`]: { path: `${root}/branches` },
    [`GET ${template}/branches/{branch}`]: { path: `${root}/branches/main` },
    [`GET ${template}/git/ref/{ref}`]: { path: `${root}/git/ref/heads%2Ffeature` },
    [`GET ${template}/git/matching-refs/{ref}`]: { path: `${root}/git/matching-refs/heads%2Ff` },
    [`POST ${template}/git/refs`]: {
      path: `${root}/git/refs`,
      body: { ref: 'refs/heads/a/b', sha: 'FEATURE' },
      status: 201,
    },
    [`PATCH ${template}/git/refs/{ref}`]: {
      path: `${root}/git/refs/heads%2Fmain`,
      body: { sha: 'FEATURE', force: true },
    },
    [`DELETE ${template}/git/refs/{ref}`]: { path: `${root}/git/refs/heads%2Ffeature`, status: 204 },
    [`GET ${template}/tags`]: { path: `${root}/tags` },
    [`POST ${template}/git/tags`]: {
      path: `${root}/git/tags`,
      body: { tag: 'v2', message: 'Two', object: 'FEATURE', type: 'commit' },
      status: 201,
    },
    [`GET ${template}/git/tags/{tag_sha}`]: { path: `${root}/git/tags/TAG` },
    [`GET ${template}/commits`]: { path: `${root}/commits?sha=feature` },
    [`GET ${template}/commits/{ref}`]: { path: `${root}/commits/FEATURE` },
    [`GET ${template}/compare/{basehead}`]: { path: `${root}/compare/main...feature` },
  }
}

/** The release RELEASE has the tag v1. */
function releaseCalls(template: string, root: string): Record<string, Success> {
  return {
    [`GET ${template}`]: { path: root },
    [`POST ${template}`]: { path: root, body: { tag_name: 'v2', draft: true }, status: 201 },
    [`GET ${template}/{release_id}`]: { path: `${root}/RELEASE` },
    [`PATCH ${template}/{release_id}`]: { path: `${root}/RELEASE`, body: { name: 'One', tag_name: 'v1.0' } },
    [`DELETE ${template}/{release_id}`]: { path: `${root}/RELEASE`, status: 204 },
    [`GET ${template}/latest`]: { path: `${root}/latest` },
    [`GET ${template}/tags/{tag}`]: { path: `${root}/tags/v1` },
  }
}

/** Pull request 8 has a commit and a review, and pull request 9 is merged. */
function pullCalls(template: string, root: string): Record<string, Success> {
  const [pull, path] = [`${template}/{pull_number}`, `${root}/8`]
  const reviewers = { path: `${path}/requested_reviewers`, body: { reviewers: ['mona'] } }
  return {
    [`GET ${template}`]: { path: root },
    [`POST ${template}`]: { path: root, body: { title: 'New', head: 'next', base: 'main' }, status: 201 },
    [`GET ${pull}`]: { path },
    [`PATCH ${pull}`]: { path, body: { title: 'Newer', state: 'closed', base: 'next' } },
    [`GET ${pull}/files`]: { path: `${path}/files` },
    [`GET ${pull}/commits`]: { path: `${path}/commits` },
    [`GET ${pull}/merge`]: { path: `${root}/9/merge`, status: 204 },
    [`PUT ${pull}/merge`]: { path: `${path}/merge`, body: { merge_method: 'squash' } },
    [`GET ${pull}/reviews`]: { path: `${path}/reviews` },
    [`POST ${pull}/reviews`]: { path: `${path}/reviews`, body: { event: 'APPROVE' } },
    [`GET ${pull}/reviews/{review_id}`]: { path: `${path}/reviews/REVIEW` },
    [`GET ${pull}/reviews/{review_id}/comments`]: { path: `${path}/reviews/REVIEW/comments` },
    [`GET ${pull}/comments`]: { path: `${path}/comments` },
    [`POST ${pull}/comments`]: {
      ...{ path: `${path}/comments`, body: { path: 'new.md', line: 1, body: 'Hm', commit_id: 'FEATURE' }, status: 201 },
    },
    [`POST ${pull}/comments/{comment_id}/replies`]: {
      path: `${path}/comments/9/replies`,
      body: { body: 'Hm' },
      status: 201,
    },
    [`GET ${template}/comments`]: { path: `${root}/comments` },
    [`GET ${template}/comments/{comment_id}`]: { path: `${root}/comments/9` },
    [`PATCH ${template}/comments/{comment_id}`]: { path: `${root}/comments/9`, body: { body: 'Newer' } },
    [`DELETE ${template}/comments/{comment_id}`]: { path: `${root}/comments/9`, status: 204 },
    [`GET ${pull}/requested_reviewers`]: { path: `${path}/requested_reviewers` },
    [`POST ${pull}/requested_reviewers`]: { ...reviewers, status: 201 },
    [`DELETE ${pull}/requested_reviewers`]: reviewers,
  }
}

function reactionCalls(template: string, path: string): Record<string, Success> {
  return {
    [`GET ${template}`]: { path },
    [`POST ${template}`]: { path, body: { content: 'eyes' }, status: 201 },
    [`DELETE ${template}/{reaction_id}`]: { path: `${path}/REACTION`, status: 204 },
  }
}

/** Makes what `contentCalls` names. @returns The values of the words in capitals. */
async function writeContent(github: LocalGitHub, token: string) {
  const write = async (what: string, body: object) => (await ask(github, what, { token, body })).json
  const root = '/repos/octo/hello'
  await addIssue(github, 'octo/hello', 7)
  const comment = await write(`POST ${root}/issues/7/comments`, { body: 'First' })
  await write(`POST ${root}/issues/7/labels`, { labels: ['bug'] })
  await write(`POST ${root}/pulls`, { title: 'New', head: 'feature', base: 'main' })
  const readme = await write(`PUT ${root}/contents/README.md`, { message: 'Add', content: 'SGk=' })
  const { commit } = await write(`PUT ${root}/contents/new.md`, { message: 'Add', content: 'SGk=', branch: 'feature' })
  const comments = [{ path: 'new.md', line: 1, body: 'Why?' }]
  const reviewed = await write(`POST ${root}/pulls/8/reviews`, { event: 'COMMENT', body: 'Hm', comments })
  await write(`POST ${root}/pulls`, { title: 'Done', head: 'done', base: 'main' })
  await write(`PUT ${root}/pulls/9/merge`, {})
  for (const login of ['mona', 'octocat']) github.addCollaborator('octo/hello', login)
  const release = await write(`POST ${root}/releases`, { tag_name: 'v1', name: 'One' })
  const tag = await write(`POST ${root}/git/tags`, {
    ...{ tag: 'v1.1', message: 'Newer', object: commit.sha, type: 'commit' },
  })
  const annotation = { path: 'README.md', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'Short' }
  const output = { title: 'Lint', summary: 'One note', annotations: [annotation] }
  const run = await write(`POST ${root}/check-runs`, { name: 'lint', head_sha: sha, output })
  await write(`POST ${root}/statuses/${sha}`, { state: 'pending' })
  const repository = { full_name: 'octo/hello', id: 1, private: false }
  const review = { action: 'created', repository, pull_request: { number: 8 }, comment: { id: 9 } }
  await github.deliver('pull_request_review_comment.created', review)
  github.addTeamMember('acme/ops', 'octocat')
  return {
    COMMENT: String(comment.id),
    RUN: String(run.id),
    FEATURE: String(commit.sha),
    REVIEW: String(reviewed.id),
    TAG: String(tag.sha),
    BLOB: String(readme.content.sha),
    RELEASE: String(release.id),
  }
}

function hookCalls(template: string, root: string): Record<string, Success> {
  const hook = `${template}/hooks/{hook_id}`
  const path = `${root}/hooks/HOOK`
  const config = { url: 'http://127.0.0.1:1/another' }
  return {
    [`GET ${template}/hooks`]: { path: `${root}/hooks` },
    [`POST ${template}/hooks`]: { path: `${root}/hooks`, body: { name: 'web', config }, status: 201 },
    [`GET ${hook}`]: { path },
    [`PATCH ${hook}`]: { path, body: { active: false } },
    [`DELETE ${hook}`]: { path, status: 204 },
    [`POST ${hook}/pings`]: { path: `${path}/pings`, status: 204 },
    ...configAndDeliveries(hook, path),
  }
}

function configAndDeliveries(template: string, path: string, as?: 'app'): Record<string, Success> {
  const who = as && { as }
  const delivery = `${template}/deliveries/{delivery_id}`
  return {
    [`GET ${template}/config`]: { path: `${path}/config`, ...who },
    [`PATCH ${template}/config`]: { path: `${path}/config`, body: { content_type: 'form' }, ...who },
    [`GET ${template}/deliveries`]: { path: `${path}/deliveries`, ...who },
    [`GET ${delivery}`]: { path: `${path}/deliveries/DELIVERY`, ...who },
    [`POST ${delivery}/attempts`]: { path: `${path}/deliveries/DELIVERY/attempts`, status: 202, ...who },
  }
}

describe('the routes', () => {
  const names = routes.map(({ method, path }) => `${method} ${path}`)

  test('are all called by these tests', () => {
    expect(Object.keys(calls).sort()).toEqual(names.toSorted())
  })

  test('are exactly those in docs/local-github-api.md', () => {
    const page = readFileSync(new URL('../../../docs/local-github-api.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `(\/[^`]*)` \| ([A-Z, ]+) \|/gm)]
    const documented = rows.flatMap(([, path = '', methods = '']) =>
      methods.split(', ').flatMap((method) => {
        const ofRepository = /^\/repos\/\{owner\}\/\{repo\}(?=\/hooks)/
        return [...new Set([path, path.replace(ofRepository, '/orgs/{org}')])].map((each) => `${method} ${each}`)
      }),
    )
    expect(documented.sort()).toEqual(names.toSorted())
  })

  test.each(Object.entries(calls))('%s', async (name, { path, as, body, status = 200 }) => {
    const [method = '', template = ''] = name.split(' ')
    expect(templateOf(method, template)).toBe(template)
    const github = await start({ token: 'right' })
    const installations = [
      { id: 5, repositories: ['octo/hello'] },
      { id: 6, account: 'acme' },
    ]
    const app = github.addApp({ id: 3, installations })
    const organization = path.startsWith('/orgs') && { organization: 'octo-org' }
    const owner = as === 'app' ? { app } : organization || { repository: 'octo/hello' }
    const hook = github.addHook({ url: 'http://127.0.0.1:1/hooks', secret, ...owner })
    const [delivery] = github.record(hook, [{ event: 'issues.opened', statusCode: 500 }])
    const jwt = jwtOf(app)
    const installed = await ask(github, 'POST /app/installations/5/access_tokens', { token: jwt })
    const token = { app: jwt, installation: installed.json.token, user: 'right', anyone: undefined }[as ?? 'user']
    const code = path.includes('CODE') ? await codeFor(github) : ''
    const content = name in contentCalls() ? await writeContent(github, installed.json.token) : undefined
    const values: Record<string, string> = {
      ...content,
      CODE: code,
      HOOK: String(hook.id),
      DELIVERY: String(delivery?.id),
    }
    const filled = (text: string) => text.replace(/\b[A-Z]+\b/g, (word) => values[word] ?? word)
    if (path.endsWith('REACTION')) {
      const list = `POST ${filled(path).replace('/REACTION', '')}`
      values.REACTION = String((await ask(github, list, { token, body: { content: 'heart' } })).json.id)
    }
    const sent = body && JSON.parse(filled(JSON.stringify(body)))
    const asked = filled(path)
    expect((await ask(github, `${method} ${asked}`, { token, body: sent })).status).toBe(status)
  })
})
