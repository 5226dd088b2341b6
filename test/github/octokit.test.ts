/** `delivery.octokit()`: its credentials, and its errors without them. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { Octokit } from 'octokit'
import { describe, expect, onTestFinished, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { hookserver } from '../../src/adapters/node.ts'
import { type AppResolver, type Delivery, Hooks } from '../../src/index.ts'
import { version } from '../../src/runtime/platform.ts'
import { inject, sample, signedRequest } from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { openInbox, storeIn } from '../inbox/stores.ts'
import { addIssue } from '../testing/github/scene.ts'
import { addApp, attemptsFor, issueOf, requestsTo, secret, startBot, startGitHub } from './bot-scene.ts'

const comment = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  const { data } = await octokit.rest.issues.createComment({ ...issueOf(delivery), body: 'Thank you' })
  return data.user?.login
}

const whoami = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  return (await octokit.rest.users.getAuthenticated()).data.login
}

/** The methods of an Octokit as JavaScript sees them, without the types of their parameters. */
interface LooseOctokit {
  rest: { issues: { createComment: LooseMethod } }
  request: LooseMethod
}
type LooseMethod = (...given: unknown[]) => Promise<unknown>
const missing = { owner: 'acme', repo: 'missing' }
const comments = '/repos/Codertocat/Hello-World/issues/1/comments'
const tokens = '/app/installations/5/access_tokens'

describe('delivery.octokit()', () => {
  test('authenticates as the installation of the delivery, for a handler of an inbox', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const bot = await startBot({ apiUrl: github.url, app }, comment)
    github.addHook({ app, url: bot.url, secret })
    await github.deliver('issues.opened')
    const [attempt] = await attemptsFor(bot.inbox)
    expect(attempt).toMatchObject({ outcome: 'succeeded', result: 'hello-bot[bot]' })
    expect(requestsTo(github)).toEqual([`POST ${tokens} 201`, `POST ${comments} 201`])
    expect(github.requests.at(-1)).toMatchObject({ body: { body: 'Thank you' } })
  })

  test('authenticates as the App that a function chooses by the mount of the delivery', async () => {
    const github = await startGitHub()
    const installations = [{ id: 7, repositories: ['Codertocat/Hello-World'] }]
    const [first, second] = [addApp(github), github.addApp({ id: 4, slug: 'other-bot', installations })]
    const app = ({ source }: Delivery) => (source === '/other' ? second : first)
    const bot = await startBot({ apiUrl: github.url, app }, async (delivery) => [
      delivery.source,
      await comment(delivery),
    ])
    const other = createServer(hookserver(bot.hooks, { path: '/other', secret: 'another secret' }))
    const url = `${await listen(other)}/other`
    onTestFinished(() => stop(other))
    github.addHook({ app: first, url: bot.url, secret })
    github.addHook({ app: second, url, secret: 'another secret' })
    await github.deliver('issues.opened')
    const results = await Promise.all([1, 2].map(async (id) => (await attemptsFor(bot.inbox, id))[0]?.result))
    expect(results.toSorted()).toEqual(['["/hooks","hello-bot[bot]"]', '["/other","other-bot[bot]"]'])
    await expect(bot.hooks.octokit({ repository: 'acme/shop' })).rejects.toThrow(
      'hooks.octokit() needs credentials: the option "app" is a function that needs a delivery',
    )
  })

  test('awaits the App that a function chooses, in a worker without a mount', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    await addIssue(github, 'Codertocat/Hello-World', 1)
    const inbox = openInbox()
    const hooks = new Hooks({ inbox, apiUrl: github.url, app: async () => app, logger: false })
    onTestFinished(() => hooks.close({ grace: 0 }))
    hooks.on('issues', { name: 'bot' }, comment)
    hooks.work()
    await storeIn(inbox, { ...sample('issues.opened'), installation: { id: 5 } }, { event: 'issues' })
    expect(await attemptsFor(inbox)).toMatchObject([{ outcome: 'succeeded', result: 'hello-bot[bot]' }])
  })

  test.each<[title: string, app: AppResolver, error: string]>([
    [
      'returns no App',
      () => undefined,
      'the function of the option "app" returned no App for this delivery: return one, or',
    ],
    ['returns no App later', async () => undefined, 'the function of the option "app" returned no App'],
    ['throws', () => Promise.reject(new Error('no App for this customer')), 'no App for this customer'],
    ['returns a part of an App', () => ({ id: 3 }) as never, 'Option "app" must be { id, privateKey }'],
  ])('rejects if the function %s', async (_title, app, error) => {
    const github = await startGitHub()
    const bot = await startBot({ apiUrl: github.url, app }, comment, { attempts: 1 })
    github.addHook({ repository: 'Codertocat/Hello-World', url: bot.url, secret })
    await github.deliver('issues.opened')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'dead', error: expect.stringContaining(error) }])
    expect(requestsTo(github)).toEqual([])
  })

  test('authenticates with the token if the function returns no App', async () => {
    const github = await startGitHub({ token: 'of-mona' })
    const bot = await startBot({ apiUrl: github.url, app: () => undefined, token: 'of-mona' }, comment)
    github.addHook({ repository: 'Codertocat/Hello-World', url: bot.url, secret })
    await github.deliver('issues.opened')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'succeeded' }])
  })

  test('uses all digits of an installation id above 2^53', async () => {
    const github = await startGitHub()
    const bot = await startBot({ apiUrl: github.url, app: addApp(github) }, whoami, { attempts: 1 })
    const payload = '{"action":"created","installation":{"id":9007199254740993}}'
    await inject(bot.hooks, signedRequest('installation', { secret, payload }))
    await attemptsFor(bot.inbox)
    expect(requestsTo(github)).toEqual(['POST /app/installations/9007199254740993/access_tokens 404', 'GET /app 200'])
  })

  test('names the installation if the App no longer has it, as in a delivery that waited while it was uninstalled', async () => {
    const github = await startGitHub()
    const bot = await startBot({ apiUrl: github.url, app: addApp(github) }, comment, { attempts: 1 })
    const payload = { ...sample('issues.opened'), installation: { id: 99 } }
    await inject(bot.hooks, signedRequest('issues', { secret, payload }))
    const error = 'The App hello-bot does not have the installation 99, or no longer has it'
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ error: expect.stringContaining(error) }])
  })

  test('sends a user agent and the version of the API, and logs its requests with the attempt', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const bot = await startBot({ apiUrl: github.url, app }, comment)
    github.addHook({ app, url: bot.url, secret })
    const [sent] = await github.deliver('issues.opened')
    const [attempt] = await attemptsFor(bot.inbox)
    for (const { headers } of github.requests) {
      expect(headers['user-agent']).toMatch(`hookserver/${version} `)
      expect(headers['x-github-api-version']).toBe('2022-11-28')
    }
    expect(version).toBe(manifest.version)
    expect(attempt?.log).toMatch(new RegExp(` debug POST ${comments} {"status":201}\n$`))
    expect(bot.logger.lines).toContainEqual({
      level: 'debug',
      fields: { id: 1, guid: sent?.guid, event: 'issues', action: 'opened', status: 201 },
      message: `POST ${comments}`,
    })
  })

  test.each([
    ['isues', 'octokit.rest has no "isues". Did you mean "issues"?'],
    ['issues', 'octokit.rest.issues has no "creatComment". Did you mean "createComment"?'],
  ])('names the method that a mistyped one in rest.%s means', async (scope, message) => {
    const github = await startGitHub()
    const mistyped = async (delivery: Delivery) => {
      const octokit = await delivery.octokit()
      expect((octokit.rest as unknown as Record<string, unknown>).somethingElse).toBeUndefined()
      return (octokit.rest as never as Record<string, { creatComment(): unknown }>)[scope]?.creatComment()
    }
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, mistyped, { attempts: 1 })
    await inject(bot.hooks, signedRequest('issues.opened', { secret }))
    const [attempt] = await attemptsFor(bot.inbox)
    expect(attempt?.error).toMatch(/^TypeError: .*\n.*octokit\.test\.ts/)
    expect(attempt?.error).toContain(`TypeError: ${message}\n`)
  })

  test('names the cure of a missing `rest`, of a missing call and of a missing `await`', async () => {
    const github = await startGitHub()
    const errors: unknown[] = []
    const keep = async (attempt: () => unknown) => {
      await Promise.resolve()
        .then(attempt)
        .catch(({ message }: Error) => errors.push(message))
    }
    const mistaken = async ({ octokit }: Delivery) => {
      const { issues } = { issues: async () => ((await octokit()) as never as { issues: unknown }).issues }
      await keep(issues)
      await keep(() => (octokit as never as { rest: unknown }).rest)
      await keep(() => (octokit() as never as { rest: unknown }).rest)
    }
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, mistaken, { attempts: 1 })
    await inject(bot.hooks, signedRequest('issues.opened', { secret }))
    await attemptsFor(bot.inbox)
    const cure = 'delivery.octokit() returns a promise: use (await delivery.octokit()).rest'
    expect(errors).toEqual(['This Octokit has no "issues": use octokit.rest.issues', cure, cure])
  })

  test.each<[string, (octokit: Octokit) => Promise<unknown>]>([
    ['rest', (octokit) => octokit.rest.repos.get(missing)],
    ['request', (octokit) => octokit.request('GET /repos/{owner}/{repo}', missing)],
    ['graphql', (octokit) => octokit.graphql('{ viewer { login } }')],
    ['paginate', (octokit) => octokit.paginate(octokit.rest.issues.listForRepo, missing)],
  ])('has the line of the handler in the stack of an error of %s', async (_member, send) => {
    const github = await startGitHub()
    github.failAt(/./, { status: 404, body: { message: 'Not Found' } })
    const failing = async ({ octokit }: Delivery) => {
      await send((await octokit()) as Octokit)
    }
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, failing, { attempts: 1 })
    await inject(bot.hooks, signedRequest('issues.opened', { secret }))
    const [attempt] = await attemptsFor(bot.inbox)
    expect(attempt?.error).toMatch(/^HttpError: Not Found.*\n(.*\n)* +at failing \(.*octokit\.test\.ts:\d+:\d+\)/)
  })

  test('names the values that the path of a request lacks', async () => {
    const github = await startGitHub()
    const errors: string[] = []
    const failing = async ({ octokit }: Delivery) => {
      const { rest, request } = (await octokit()) as never as LooseOctokit
      const keep = ({ message }: Error) => void errors.push(message)
      await rest.issues.createComment({ repo: '', issue_number: 1, body: 'Thank you' }).catch(keep)
      await request('GET /repos/{owner}/{repo}', { owner: 'acme' }).catch(keep)
      await request('GET /repos/{owner}/{repo}', { owner: 'acme', repo: 'missing' }).catch(keep)
    }
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, failing, { attempts: 1 })
    await inject(bot.hooks, signedRequest('issues.opened', { secret }))
    await attemptsFor(bot.inbox)
    expect(errors.map((message) => / The path.*/.exec(message)?.[0])).toEqual([
      ' The path of the request lacks owner and repo: pass them to the method',
      ' The path of the request lacks repo: pass it to the method',
      undefined,
    ])
  })

  test('logs the method and the path of a request that fails', async () => {
    const github = await startGitHub()
    const failing = async ({ octokit }: Delivery) => void (await (await octokit()).request('GET /repos/acme/missing'))
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, failing, { attempts: 1 })
    await inject(bot.hooks, signedRequest('issues.opened', { secret }))
    const [attempt] = await attemptsFor(bot.inbox)
    expect(attempt?.log).toMatch(/ debug GET \/repos\/acme\/missing {"status":404}\n/)
  })

  test.each([
    [
      'the App',
      true,
      'The App needs the permission issues=write or pull_requests=write: declare it in config.permissions',
    ],
    ['the token', false, 'The token needs the permission issues=write or pull_requests=write: add it on GitHub'],
  ])('names the permission that %s lacks', async (_, isApp, message) => {
    const github = await startGitHub()
    const permissions = { issues: 'read' } as const
    const credentials = isApp
      ? {
          app: github.addApp({
            ...{ id: 3, permissions },
            installations: [{ id: 5, repositories: ['Codertocat/Hello-World'] }],
          }),
        }
      : { token: github.addToken({ permissions }) }
    const bot = await startBot({ apiUrl: github.url, ...credentials }, comment, { attempts: 1 })
    github.addHook({
      ...(isApp ? { app: 3 } : { repository: 'Codertocat/Hello-World' }),
      url: bot.url,
      secret,
    } as never)
    await github.deliver('issues.opened')
    const [attempt] = await attemptsFor(bot.inbox)
    expect(attempt?.error).toContain(message)
  })

  test('names the repository that the installation may lack, if the App has the permission', async () => {
    const github = await startGitHub()
    github.addRepository('octo/public')
    const app = addApp(github)
    const work = async ({ octokit }: Delivery) => {
      const { rest } = await octokit()
      await rest.issues.createComment({ owner: 'octo', repo: 'public', issue_number: 1, body: 'Thank you' })
    }
    const bot = await startBot({ apiUrl: github.url, app }, work, { attempts: 1 })
    github.addHook({ app, url: bot.url, secret })
    await github.deliver('issues.opened')
    const [attempt] = await attemptsFor(bot.inbox)
    expect(attempt?.error).toContain(
      'The App has the permission issues=write or pull_requests=write, so its installation may lack octo/public: see ',
    )
  })

  test('logs warnings of GitHub to the logger, and not to the console', async () => {
    const github = await startGitHub()
    const bot = await startBot({ apiUrl: github.url, token: github.addToken() }, whoami)
    github.addHook({ repository: 'octo/hello', url: bot.url, secret })
    github.failAt(/user/, { status: 200, headers: { deprecation: '@1', sunset: 'soon' }, body: { login: 'mona' } })
    await github.deliver('push')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ log: expect.stringMatching(/ warn .* is deprecated/) }])
  })

  test('uses the token without an App, and for a delivery of no installation', async () => {
    const github = await startGitHub()
    const [app, token] = [addApp(github), github.addToken({ login: 'mona' })]
    for (const options of [{ token }, { token, app }]) {
      const bot = await startBot({ apiUrl: github.url, ...options }, whoami)
      const hook = github.addHook({ repository: 'Codertocat/Hello-World', url: bot.url, secret })
      await github.deliver('issues.opened', undefined, { hooks: [hook] })
      expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'succeeded', result: 'mona' }])
    }
    expect(requestsTo(github)).toEqual(['GET /user 200', 'GET /user 200'])
  })

  test('is one object for each delivery, and gives its token to the handler', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const bot = await startBot({ apiUrl: github.url, app }, async (delivery) => {
      const octokit = await delivery.octokit()
      expect(await delivery.octokit()).toBe(octokit)
      return octokit.auth()
    })
    github.addHook({ app, url: bot.url, secret })
    await github.deliver('issues.opened')
    const [attempt] = await attemptsFor(bot.inbox)
    expect(JSON.parse(attempt?.result ?? '')).toEqual({
      ...{ type: 'token', tokenType: 'installation', installationId: '5', token: expect.stringMatching(/^ghs_/) },
    })
  })

  test('works with an Enterprise Server, a key in PKCS#8, and the client ID', async () => {
    const github = await startGitHub({ enterprise: true })
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const installations = [{ id: 5, repositories: ['Codertocat/Hello-World'] }]
    const { clientId } = github.addApp({ id: 4, slug: 'ghes-bot', privateKey: pem, installations })
    const app = { id: clientId, privateKey: pem.replaceAll('\n', '\\n') }
    const bot = await startBot({ apiUrl: github.url, app }, comment)
    github.addHook({ app: 4, url: bot.url, secret })
    await github.deliver('issues.opened')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'succeeded', result: 'ghes-bot[bot]' }])
    expect(github.requests.at(-1)?.path).toBe(`/api/v3${comments}`)
  })
})

describe('delivery.octokit() rejects', () => {
  const failureWith = async (options: object, viaApp = true) => {
    const github = await startGitHub()
    const app = addApp(github)
    const bot = await startBot({ apiUrl: github.url, ...options }, comment, { attempts: 1 })
    const hook = github.addHook({ ...(viaApp ? { app } : { repository: 'octo/hello' }), url: bot.url, secret })
    await github.deliver('issues.opened', undefined, { hooks: [hook] })
    const [attempt] = await attemptsFor(bot.inbox)
    return { error: attempt?.error, requests: requestsTo(github), id: app.id }
  }

  test('without App or token, naming both options', async () => {
    const { error, requests } = await failureWith({})
    expect(error).toMatch(/^Error: delivery\.octokit\(\) needs .*"app" \({ id, privateKey }\) or the option "token"/)
    expect(requests).toEqual([])
  })

  test("with an App alone, for a webhook that is not the App's", async () => {
    const privateKey = newKey()
    const { error, requests } = await failureWith({ app: { id: 3, privateKey } }, false)
    expect(error).toMatch(/not come from an installation of an App.* also set the option "token"/)
    expect(error).toMatch(/ Add --set installation\.id=<id> to "npx hookserver send"/)
    expect(requests).toEqual([])
  })

  test('with the key of another App, saying what to check', async () => {
    const { error, requests } = await failureWith({ app: { id: 3, privateKey: newKey() } })
    expect(error).toMatch(/^Error: GitHub does not accept the key of App 3: check that "id" and "privateKey"/)
    expect(error).toMatch(/Caused by: HttpError: A JSON web token could not be decoded/)
    expect(requests).toEqual([`POST ${tokens} 401`])
  })

  test('with an unknown App id, with the message of GitHub', async () => {
    const { error } = await failureWith({ app: { id: 99, privateKey: newKey() } })
    expect(error).toMatch(/^HttpError: Integration not found/)
  })
})

function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
}
