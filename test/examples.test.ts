/** Runs each example. An example that is a server receives a signed delivery. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Octokit } from 'octokit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { onRepositories } from '../examples/library.ts'
import type { LambdaEvent } from '../src/adapters/lambda.ts'
import { Hooks } from '../src/index.ts'
import { Probot, type WebhookEvent } from '../src/probot/index.ts'
import { runSchedule } from '../src/schedules/operate.ts'
import { sqlite } from '../src/sqlite/index.ts'
import { inject, LocalGitHub, run, sample, signedRequest } from '../src/testing/index.ts'
import { freePort } from './free-port.ts'
import { addIssue } from './testing/github/scene.ts'

const secret = 'the secret of the examples'
const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const servers: Record<string, string> = {
  node: 'node',
  express: 'node',
  fastify: 'node',
  koa: 'node',
  hono: 'node',
  exec: 'node',
  web: 'bun',
}

/** Keeps the examples from requesting GitHub's ranges. */
const offline = fileURLToPath(new URL('offline.js', import.meta.url))

async function withProcess<T>(
  command: string,
  args: string[],
  work: (child: ChildProcess) => Promise<T>,
  variables: Record<string, string> = {},
): Promise<T> {
  const preload = command === 'bun' ? '--preload' : '--import'
  const child = spawn(command, [preload, offline, ...args], {
    cwd: folder,
    env: { ...process.env, GITHUB_WEBHOOKS_KEY: secret, PORT: '0', NODE_NO_WARNINGS: '1', ...variables },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  try {
    return await work(child)
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

/** A folder for one test. */
function newFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'hookserver-example-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

/** The port in the output of a listening example. */
async function portOf(child: ChildProcess): Promise<string> {
  return (await printed(child, /(?:port: |localhost:)(\d+)/))[1] as string
}

/** Waits until an example prints this text. */
async function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let output = ''
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    output += chunk
    const match = pattern.exec(output)
    if (match) return match
  }
  throw new Error(`The example ended after ${JSON.stringify(output)}`)
}

describe('examples', () => {
  test.each(Object.entries(servers))('%s accepts a signed ping', (name, command) =>
    withProcess(command, [`${name}.ts`], async (child) => {
      const origin = `http://localhost:${await portOf(child)}`
      const answer = await fetch(`${origin}/hooks`, signedRequest('ping', { secret }))
      expect(answer.status).toBe(200)
      expect(await answer.text()).toContain('pong')
    }),
  )

  test('sqlite stores a signed ping, and handles it after the answer', () => {
    const env = { DATABASE: join(newFolder(), 'hookserver.db') }
    return withProcess(
      'node',
      ['sqlite.ts'],
      async (child) => {
        const origin = `http://localhost:${await portOf(child)}`
        const request = signedRequest('ping', { secret })
        const answer = await fetch(`${origin}/hooks`, request)
        expect([answer.status, await answer.text()]).toEqual([202, 'Accepted'])
        const again = await fetch(`${origin}/hooks`, request)
        expect([again.status, await again.text()]).toEqual([200, 'Duplicate'])
        await printed(child, /Handled after the answer/)
      },
      env,
    )
  })

  test('lambda accepts a signed ping', () => {
    const { method, headers, body } = signedRequest('ping', { secret })
    const event: LambdaEvent = {
      ...{ rawPath: '/hooks', headers, body },
      requestContext: { http: { method, sourceIp: '127.0.0.1' } },
    }
    const program = `const { handler } = await import('./lambda.ts'); console.log(JSON.stringify(await handler(${JSON.stringify(event)})))`
    return withProcess('node', ['--input-type=module', '-e', program], async (child) => {
      const [printed] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
      expect(JSON.parse(printed)).toMatchObject({ statusCode: 200, body: 'pong' })
    })
  })

  test('tenants accepts a repository with its own secret, and no payload about another one', () => {
    const id = sample('push').repository.id
    const send = (origin: string, target: number) => {
      const headers = { 'x-github-hook-installation-target-id': String(target) }
      return fetch(`${origin}/hooks`, signedRequest('push', { secret, headers }))
    }
    return withProcess(
      'node',
      ['tenants.ts'],
      async (child) => {
        const origin = `http://localhost:${await portOf(child)}`
        const answer = await send(origin, id)
        expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('commits in')])
        expect((await send(origin, id + 1)).status).toBe(500) // signed for another repository
        expect((await send(origin, id + 2)).status).toBe(503) // has no secret
      },
      { SECRETS: JSON.stringify({ [id]: secret, [id + 1]: secret }) },
    )
  })

  test('next answers a signed ping', async () => {
    vi.stubEnv('GITHUB_WEBHOOKS_KEY', secret)
    vi.stubEnv('HOOK_RANGES', '127.0.0.1')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { POST } = await import('../examples/next.ts')
    const headers = { 'x-real-ip': '127.0.0.1' }
    const request = signedRequest('ping', { secret, headers })
    const answer = await POST(new Request('http://localhost/api/hooks', request))
    expect([answer.status, await answer.text()]).toEqual([200, 'pong'])
  })

  test('library registers a handler for some repositories', async () => {
    const hooks = new Hooks({ secret })
    const seen: string[] = []
    const { full_name: name } = sample('push').repository
    onRepositories(hooks, [name], ['push', 'fork'], ({ event }) => seen.push(event))
    onRepositories(hooks, ['acme/other'], 'push', () => seen.push('other'))
    await inject(hooks, signedRequest('push', { secret }))
    expect(seen).toEqual(['push'])
  })

  test('testing passes its own tests', () =>
    withProcess('node', ['testing.ts'], async (child) => {
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
    }))

  test('github-app answers an issue as the App, as its page says', async () => {
    const page = readFileSync(join(folder, '../docs/guides/github-app.md'), 'utf8')
    const [first = '', ...program] = readFileSync(join(folder, 'github-app.ts'), 'utf8').split('\n')
    expect(first).toMatch(/^\/\*\* /)
    expect(page).toContain(`\`\`\`ts\n${program.join('\n')}\`\`\`\n`)

    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    const home = newFolder()
    const app = github.addApp({ id: 3, slug: 'bot', installations: [{ id: 5, account: 'Codertocat' }] })
    writeFileSync(join(home, 'bot.pem'), app.privateKey)
    const env = {
      ...{ DATABASE: join(home, 'hookserver.db'), GITHUB_API_URL: github.url },
      ...{ GITHUB_APP_ID: '3', GITHUB_APP_PRIVATE_KEY: join(home, 'bot.pem') },
    }
    await withProcess(
      'node',
      ['github-app.ts'],
      async (child) => {
        github.addHook({ app, url: `http://127.0.0.1:${await portOf(child)}/hooks`, secret })
        expect(await github.deliver('issues.opened')).toMatchObject([{ status: 'OK' }])
        const comment = {
          path: '/repos/Codertocat/Hello-World/issues/1/comments',
          body: { body: 'Thank you, @Codertocat! A maintainer will look into it.' },
          status: 201,
        }
        await vi.waitFor(() => expect(github.requests.at(-1)).toMatchObject(comment), { timeout: 60_000 })
      },
      env,
    )
  })

  /** The `Hooks` of a module for `hookserver serve`, with an App on a local GitHub. */
  async function withApp(load: () => Promise<{ default: Parameters<typeof run>[0] }>) {
    const github = await LocalGitHub.start({ token: 'a-token' })
    onTestFinished(() => github.close())
    const app = github.addApp({ id: 3, slug: 'bot', installations: [{ id: 5, account: 'Codertocat' }] })
    const env = { GITHUB_API_URL: github.url, GITHUB_APP_ID: '3', GITHUB_APP_PRIVATE_KEY: app.privateKey }
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    vi.stubEnv('GITHUB_WEBHOOKS_KEY', secret)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { default: hooks } = await load()
    const { rest } = new Octokit({ baseUrl: github.url, auth: 'a-token', throttle: { enabled: false } })
    const payload = { ...sample('pull_request.opened'), installation: { id: 5, node_id: 'x' } }
    await github.deliver('pull_request.opened', payload)
    return { github, hooks, rest, payload, repo: { owner: 'Codertocat', repo: 'Hello-World' } }
  }

  test('labeler adds the labels of the changed folders, as the repository says', async () => {
    const { hooks, rest, payload, repo } = await withApp(() => import('../examples/labeler.ts'))
    const label = async () => (await run(hooks, 'pull_request.opened', { payload }))[0]
    expect(await label()).toMatchObject({ outcome: 'succeeded', returned: 'no labeler.yml' })
    const write = (path: string, branch: string, text: string) =>
      rest.repos.createOrUpdateFileContents({
        ...{ ...repo, path, branch, message: 'Write', content: Buffer.from(text).toString('base64') },
      })
    const labels = 'labels:\n  documentation: [docs/]\n  ci: [.github/workflows/]\n  empty: []\n'
    await write('.github/labeler.yml', 'main', labels)
    expect(await label()).toMatchObject({ returned: 'no new label' })
    await write('docs/start.md', payload.pull_request.head.ref, 'Start')
    expect(await label()).toMatchObject({ outcome: 'succeeded', returned: ['documentation'] })
    const issue = { ...repo, issue_number: payload.pull_request.number }
    expect((await rest.issues.listLabelsOnIssue(issue)).data).toMatchObject([{ name: 'documentation' }])
  })

  test('sign-off checks the commits of a pull request', async () => {
    const { github, hooks, rest, payload, repo } = await withApp(() => import('../examples/sign-off.ts'))
    const commit = (message: string, parents: number = 1) => ({
      ...{ sha: 'abcdef0123', parents: Array(parents).fill({}) },
      commit: { message, author: { name: 'Mona', email: 'mona@example.com' } },
    })
    const signed = commit('Add it\n\nSigned-off-by: Mona <mona@example.com>')
    let commits = [signed, commit('Merge main', 2), commit('Forgotten'), commit('Other\nSigned-off-by: X <x@y.z>')]
    github.route('GET', '/repos/{owner}/{repo}/pulls/{pull_number}/commits', () => ({ body: commits }))
    const result = async () => {
      expect((await run(hooks, 'pull_request.opened', { payload }))[0]?.error).toBeUndefined()
      const { data } = await rest.checks.listForRef({ ...repo, ref: payload.pull_request.head.sha })
      return data.check_runs[0]
    }
    expect(await result()).toMatchObject({
      ...{ name: 'DCO', conclusion: 'failure' },
      output: {
        title: '2 of 3 commits are not signed off',
        summary: expect.stringMatching(/git rebase --signoff.*- abcdef0 Forgotten\n- abcdef0 Other$/s),
      },
    })
    commits = [signed]
    expect(await result()).toMatchObject({ conclusion: 'success', output: { title: 'All commits are signed off' } })
  })

  test('two-apps handles a delivery as the App of its webhook', async () => {
    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    const home = newFolder()
    const env: Record<string, string> = { DATABASE: join(home, 'hookserver.db'), GITHUB_API_URL: github.url }
    const apps = ['triage', 'deploy'].map((slug, index) => {
      const app = github.addApp({ id: index + 3, slug, installations: [{ id: index + 5, account: 'Codertocat' }] })
      Object.assign(env, {
        [`${slug.toUpperCase()}_APP_ID`]: String(app.id),
        [`${slug.toUpperCase()}_PRIVATE_KEY`]: app.privateKey,
        [`${slug.toUpperCase()}_SECRET`]: `the secret of ${slug}`,
      })
      return { app, slug }
    })
    await withProcess(
      'node',
      ['two-apps.ts'],
      async (child) => {
        const port = await portOf(child)
        for (const { app, slug } of apps)
          github.addHook({ app, url: `http://127.0.0.1:${port}/${slug}`, secret: `the secret of ${slug}` })
        expect(await github.deliver('issues.opened')).toMatchObject([{ status: 'OK' }, { status: 'OK' }])
        const label = {
          path: '/repos/Codertocat/Hello-World/issues/1/labels',
          body: { labels: ['triage'] },
          status: 200,
        }
        await vi.waitFor(() => expect(github.requests.at(-1)).toMatchObject(label), { timeout: 60_000 })
        const paths = github.requests.map(({ path }) => path).filter((path) => path !== '/meta')
        expect(paths).toEqual(['/app/installations/5/access_tokens', label.path])
      },
      env,
    )
  })

  test('github recovers the deliveries that it missed', async () => {
    const github = await LocalGitHub.start({ token: 'a-token' })
    onTestFinished(() => github.close())
    const file = join(newFolder(), 'hookserver.db')
    const inbox = sqlite(file)
    await inbox.createdAt() // recovery ignores deliveries before this time
    await inbox.close()
    const port = await freePort()
    const hook = github.addHook({ repository: 'acme/shop', url: `http://127.0.0.1:${port}/hooks`, secret })
    const [missed] = await github.deliver('push')
    const env = {
      ...{ DATABASE: file, PORT: String(port), GITHUB_API_URL: github.url, GITHUB_TOKEN: 'a-token' },
      HOOK: `acme/shop#${hook.id}`,
    }
    await withProcess('node', ['github.ts'], (child) => printed(child, RegExp(`Handled ${missed?.guid}`)), env)
  })

  test('schedule labels a stale issue of each repository', async () => {
    const github = await LocalGitHub.start({ token: 'a-token' })
    onTestFinished(() => github.close())
    const home = newFolder()
    const app = github.addApp({ id: 3, slug: 'bot', installations: [{ id: 5, repositories: ['octo/hello'] }] })
    writeFileSync(join(home, 'bot.pem'), app.privateKey)
    const headers = { authorization: 'Bearer a-token', 'user-agent': 'test' }
    const create = async (path: string, body: object) => {
      const request = { method: 'POST', headers, body: JSON.stringify({ title: 'Forgotten', ...body }) }
      expect((await fetch(`${github.url}/repos/octo/hello/${path}`, request)).status).toBe(201)
    }
    await create('issues', {})
    await create('pulls', { head: 'feature', base: 'main' })
    const env = {
      ...{ DATABASE: join(home, 'hookserver.db'), GITHUB_API_URL: github.url, STALE_DAYS: '0' },
      ...{ GITHUB_APP_ID: '3', GITHUB_APP_PRIVATE_KEY: join(home, 'bot.pem') },
    }
    const inbox = sqlite(env.DATABASE)
    onTestFinished(() => inbox.close())
    const labeled = { path: '/repos/octo/hello/issues/1/labels', body: { labels: ['stale'] }, status: 200 }
    await withProcess(
      'node',
      ['schedule.ts'],
      async (child) => {
        await portOf(child)
        await vi.waitFor(() => runSchedule(inbox, 'stale'), { timeout: 60_000 })
        await vi.waitFor(() => expect(github.requests.at(-1)).toMatchObject(labeled), { timeout: 60_000 })
        // GitHub lists the pull request before the older issue.
        expect(github.requests.filter(({ path }) => path.endsWith('/labels'))).toMatchObject([labeled])
      },
      env,
    )
  })

  test('commands deploys for those who may', async () => {
    const github = await LocalGitHub.start({ token: 'a-token' })
    onTestFinished(() => github.close())
    github.addRepository('octo/hello')
    github.addCollaborator('octo/hello', 'mona', 'maintain')
    github.addCollaborator('octo/hello', 'octocat') // the user of the token
    await addIssue(github, 'octo/hello', 1)
    github.route('POST', '/repos/{owner}/{repo}/deployments', ({ body }) => ({ status: 201, body }))
    const comment = async (login: string, body: string) => {
      const headers = { authorization: `Bearer ${github.addToken({ login })}`, 'user-agent': 'test' }
      const request = { method: 'POST', headers, body: JSON.stringify({ body }) }
      expect((await fetch(`${github.url}/repos/octo/hello/issues/1/comments`, request)).status).toBe(201)
    }
    const sent = (path: string) => github.requests.flatMap((one) => (one.path.endsWith(path) ? [one.body] : []))
    const env = {
      ...{ DATABASE: join(newFolder(), 'hookserver.db'), GITHUB_API_URL: github.url, GITHUB_TOKEN: 'a-token' },
    }
    await withProcess(
      'node',
      ['commands.ts'],
      async (child) => {
        github.addHook({ repository: 'octo/hello', url: `http://127.0.0.1:${await portOf(child)}/hooks`, secret })
        await comment('mallory', '/deploy production')
        await comment('mona', 'Ship it!\n\n/deploy production v1')
        await vi.waitFor(() => expect(sent('/reactions')).toContainEqual({ content: 'rocket' }), { timeout: 60_000 })
        await vi.waitFor(() => expect(sent('/reactions')).toContainEqual({ content: '-1' }), { timeout: 60_000 })
      },
      env,
    )
    expect(sent('/deployments')).toEqual([{ ref: 'v1', environment: 'production', auto_merge: false }])
  })

  test('probot answers an issue once, although its handler runs twice, as its page says', async () => {
    const page = readFileSync(join(folder, '../docs/guides/probot.md'), 'utf8')
    const [, ...program] = readFileSync(join(folder, 'probot.ts'), 'utf8').split('\n')
    expect(page).toContain(`\`\`\`ts\n${program.join('\n')}\`\`\`\n`)

    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    const { id, privateKey } = github.addApp({ id: 3, slug: 'bot', installations: [{ id: 5, account: 'Codertocat' }] })
    const probot = new Probot({ appId: id, privateKey, baseUrl: github.url })
    await probot.load((await import('../examples/probot.ts')).default as never)
    await github.deliver('issues.opened') // stores the issue of the sample
    const payload = { ...(sample('issues.opened') as object), installation: { id: 5 } }
    const event = { id: 'guid-1', name: 'issues', payload } as WebhookEvent
    await probot.receive(event)
    await probot.receive(event)
    const comments = github.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/comments'))
    expect(comments).toMatchObject([{ body: { body: 'Thank you <!-- guid-1 -->' }, status: 201 }])
  })

  test('are all tested', () => {
    const names = readdirSync(folder).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -'.ts'.length)] : []))
    expect(names.toSorted()).toEqual(
      [
        ...Object.keys(servers),
        ...[
          'commands',
          'github',
          'github-app',
          'hooks',
          'labeler',
          'lambda',
          'library',
          'next',
          'schedule',
          'sign-off',
          'sqlite',
          'tenants',
          'testing',
        ],
        ...['probot', 'two-apps'],
      ].toSorted(),
    )
  })
})
