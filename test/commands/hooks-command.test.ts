import { once } from 'node:events'
import { Octokit } from 'octokit'
import { describe, expect, test } from 'vitest'
import { type Delivery, Discard, Hooks, Unrecoverable } from '../../src/index.ts'
import { inject, sample, signedRequest } from '../../src/testing/index.ts'
import { eventually } from '../inbox/stores.ts'
import { repo, secret, startScene } from './scene.ts'

/** A bot with the command `/deploy`, and the arguments with which it ran. */
async function deployScene(options: Parameters<Hooks['command']>[1] = {}, more: Parameters<typeof startScene>[1] = {}) {
  const ran: unknown[] = []
  const scene = await startScene((hooks) => {
    hooks.command('/deploy <environment> [version]', options as object, ({ args }) => void ran.push({ ...args }))
  }, more)
  return { ...scene, ran }
}

const prod = { environment: 'prod', version: undefined }

describe.each([
  ['without an inbox', false],
  ['with an inbox', true],
])('a command, %s', (_name, stores) => {
  test('runs with its arguments, and reacts at its start and its end', async () => {
    const { comment, ran, reactions, replies } = await deployScene({}, { stores })
    const id = await comment('mona', 'Ship it\n/Deploy prod  v1')
    expect(ran).toEqual([{ environment: 'prod', version: 'v1' }])
    expect(await reactions(id)).toEqual(['eyes', 'rocket'])
    expect(await replies()).toEqual([])
  })

  test('does not run without the permission, and says which one is needed', async () => {
    const { comment, ran, reactions, replies } = await deployScene({}, { stores })
    const id = await comment('mallory', '/deploy prod')
    expect(ran).toEqual([])
    expect(await reactions(id)).toEqual(['-1'])
    expect(await replies()).toEqual([
      '`/deploy` did not run. It needs the permission `write` on this repository. You have `read`.',
    ])
  })

  test('answers wrong arguments with the usage', async () => {
    const { comment, ran, reactions, replies } = await deployScene({}, { stores })
    const id = await comment('mona', '/deploy')
    expect(ran).toEqual([])
    expect(await reactions(id)).toEqual(['confused'])
    expect(await replies()).toEqual([
      '`/deploy` did not run: the argument `environment` is missing.\n\nUsage: `/deploy <environment> [version]`',
    ])
  })

  test('runs in the order of the comment, each once', async () => {
    const order: string[] = []
    const scene = await startScene(
      (hooks) => {
        for (const name of ['merge', 'build', 'deploy'] as const) {
          hooks.command(`/${name} [what]`, async ({ args, react }) => {
            order.push(`${name} ${args.what} starts`)
            await react('heart') // another command could start meanwhile
            order.push(`${name} ends`)
          })
        }
      },
      { stores },
    )
    await scene.comment('mona', '/build a\n/deploy b\n/build a\n\n/merge c\n/deploy d')
    expect(order).toEqual([
      ...['build a starts', 'build ends', 'deploy b starts', 'deploy ends', 'merge c starts', 'merge ends'],
    ])
    expect(await scene.replies()).toEqual([
      '`/deploy` runs once for a comment, so only its first line runs. Write another comment for the next one.',
    ])
  })

  test('runs if parsePayload returns BigInts', async () => {
    const parsePayload = (json: string) =>
      JSON.parse(json, (_name, value) => (Number.isSafeInteger(value) ? BigInt(value) : value))
    const { comment, ran, reactions, replies } = await deployScene({}, { stores, parsePayload })
    expect(await reactions(await comment('mona', '/deploy prod'))).toEqual(['eyes', 'rocket'])
    expect(ran).toEqual([prod])
    await comment('mona', '/deploy')
    expect(await replies()).toHaveLength(1)
  })

  test('fails without a retry if parsePayload returns no comment', async () => {
    const errors: unknown[] = []
    const onError = ({ error }: { error: unknown }) => void errors.push(error)
    const { comment, ran } = await deployScene({}, { stores, onError, parsePayload: () => ({}) })
    await comment('mona', '/deploy prod')
    expect(ran).toEqual([])
    expect(errors).toEqual([expect.objectContaining({ name: 'Unrecoverable' })])
    expect(String(errors[0])).toContain('The option "parsePayload" must return')
  })

  test('is found only in lines that readers see as a command', async () => {
    const { comment, ran, replies } = await deployScene({}, { stores })
    await comment('mona', '> /deploy prod\n\n```\n/deploy prod\n```\n\n/\u212Adeploy prod and `/deploy prod`')
    expect(ran).toEqual([])
    expect(await replies()).toEqual([])
  })
})

describe('the permission', () => {
  test.each([
    ['triage', 'read', false],
    ['triage', 'triage', true],
    ['triage', 'write', true],
    ['write', 'triage', false],
    ['write', 'maintain', true],
    ['maintain', 'write', false],
    ['maintain', 'maintain', true],
    ['admin', 'maintain', false],
    ['admin', 'admin', true],
  ] as const)('%s is needed, the user has %s', async (permission, role, runs) => {
    const { github, comment, ran } = await deployScene({ permission })
    github.addCollaborator('octo/hello', 'mona', role)
    await comment('mona', '/deploy prod')
    expect(ran).toEqual(runs ? [prod] : [])
  })

  test('is not read from author_association', async () => {
    const { github, ran, handled } = await deployScene()
    const user = { login: 'mallory', id: 66, type: 'User' }
    await github.deliver('issue_comment.created', {
      ...{ action: 'created', issue: { number: 7 }, sender: user, repository: { full_name: 'octo/hello', id: 1 } },
      comment: { id: 5, body: '/deploy prod', user, author_association: 'OWNER' },
    })
    await handled()
    expect(ran).toEqual([])
  })

  test('of another account with the login of the author does not count', async () => {
    const { github, ran, handled, replies, logger } = await deployScene({ permission: 'read' })
    const user = { login: 'mona', id: 66, type: 'User' }
    await github.deliver('issue_comment.created', {
      ...{ action: 'created', issue: { number: 7 }, sender: user, repository: { full_name: 'octo/hello', id: 1 } },
      comment: { id: 5, body: '/deploy prod', user },
    })
    await handled()
    expect(ran).toEqual([])
    expect(await replies()).toEqual([expect.stringContaining('You have no permission.')])
    expect(logger.messages).toContain(
      'The user who has this name on GitHub is not the user in the payload: their ids differ. The command is denied',
    )
  })

  test.each(['issue_comment.created', 'pull_request_review_comment.created'] as const)(
    'is that of the sender of the sample of %s, with and without its delivery',
    async (name) => {
      const { github, hooks, ran, handled } = await deployScene()
      const payload = sample(name)
      payload.comment.body = '/deploy prod'
      github.addCollaborator(payload.repository.full_name, 'bot')
      await inject(hooks, signedRequest(name, { secret, payload }))
      expect(ran).toEqual([prod])
      await github.deliver(name, payload)
      await handled()
      expect(ran).toEqual([prod, prod])
    },
  )

  test('is that of a user who first appears in a payload', async () => {
    const { github, ran, handled } = await deployScene({ permission: 'read' })
    const user = { login: 'lisa', id: 66, type: 'User' }
    await github.deliver('issue_comment.created', {
      ...{ action: 'created', issue: { number: 7 }, sender: user, repository: { full_name: 'octo/hello', id: 1 } },
      comment: { id: 5, body: '/deploy prod', user },
    })
    await handled()
    expect(ran).toEqual([prod])
  })

  test('can be replaced by the membership of a team, which is not pending', async () => {
    const { github, comment, ran, replies } = await deployScene({ teams: ['acme/dev', 'acme/ops'] })
    github.addTeamMember('acme/ops', 'lisa')
    github.addTeamMember('acme/ops', 'lara', { pending: true })
    await comment('lisa', '/deploy prod')
    expect(ran).toEqual([prod])
    await comment('lara', '/deploy prod')
    expect(ran).toEqual([prod])
    expect(await replies()).toEqual([
      '`/deploy` did not run. It needs the permission `write` on this repository, or membership in one of the teams `acme/dev`, `acme/ops`. You have `read`.',
    ])
  })

  test('is asked again if GitHub fails', async () => {
    const { github, comment, ran, inbox } = await deployScene({ backoff: '1ms' }, { stores: true })
    github.failAt(/permission/, { status: 500 })
    await comment('mona', '/deploy prod')
    expect(ran).toEqual([prod])
    expect((await inbox?.get(1))?.tasks[0]?.attempts).toHaveLength(2)
  })
})

describe('where commands are found', () => {
  test('on issues or on pull requests', async () => {
    const { as, comment, ran } = await deployScene({ on: ['pull_request'] })
    const { data } = await as('mona').pulls.create({ ...repo, title: 'New', head: 'feature', base: 'main' })
    await comment('mona', '/deploy issue', 7)
    await comment('mona', '/deploy pull', data.number)
    expect(ran).toEqual([{ environment: 'pull', version: undefined }])
  })

  test('in review comments', async () => {
    const { github, as, ran, handled } = await deployScene()
    const { data: user } = await as('mona').users.getAuthenticated()
    const pull = await as('mona').pulls.create({ ...repo, title: 'New', head: 'feature', base: 'main' })
    await github.deliver('pull_request_review_comment.created', {
      ...{ action: 'created', pull_request: { number: pull.data.number, head: {}, base: {} }, sender: user },
      ...{ comment: { id: 5, body: '/deploy prod', user }, repository: { full_name: 'octo/hello', id: 1 } },
    })
    await handled()
    expect(ran).toEqual([prod])
    const { data } = await as('mona').reactions.listForPullRequestReviewComment({ ...repo, comment_id: 5 })
    expect(data.map(({ content }) => content)).toEqual(['eyes', 'rocket'])
  })

  test('in the body of a new issue, if the command says so', async () => {
    for (const bodies of [true, false]) {
      const { as, handled, ran } = await deployScene({ bodies })
      const { data } = await as('mona').issues.create({ ...repo, title: 'New', body: '/deploy prod' })
      await handled()
      expect(ran).toEqual(bodies ? [prod] : [])
      const found = await as('mona').reactions.listForIssue({ ...repo, issue_number: data.number })
      expect(found.data).toHaveLength(bodies ? 2 : 0)
    }
  })

  test.each([
    ['that another user has opened', 'mallory', undefined],
    ['that another user has transferred', 'mallory', { old_issue: { number: 3 } }],
    ['that its author has transferred', 'mona', { old_issue: { number: 3 } }],
  ])('not in the body of an issue %s', async (_name, login, changes) => {
    const { github, as, handled, ran } = await deployScene({ bodies: true })
    const { data: sender } = await as('mona').users.getAuthenticated()
    const { data: user } = await as(login).users.getAuthenticated()
    await github.deliver('issues.opened', {
      ...{ action: 'opened', sender, repository: { full_name: 'octo/hello', id: 1 }, changes },
      issue: { number: 8, body: '/deploy prod', user },
    })
    await handled()
    expect(ran).toEqual([])
  })

  test('in the lines that an edit adds, if the command says so', async () => {
    const { as, comment, handled, ran } = await deployScene({ edits: true })
    const comment_id = await comment('mona', '/deploy prod\n\nplease')
    await as('mona').issues.updateComment({ ...repo, comment_id, body: '/deploy prod\n\nthank you' })
    await handled()
    expect(ran).toEqual([prod])
    await as('mona').issues.updateComment({ ...repo, comment_id, body: '/deploy stage' })
    await handled()
    expect(ran).toEqual([prod, { environment: 'stage', version: undefined }])
  })

  test.each([
    ['of a quote', '> log\n/deploy prod', '> log\n\n/deploy prod'],
    ['of an open element', '<details>\n\n/deploy prod', '\n\n/deploy prod'],
    ['of a code block', '```\r\n  /deploy **prod**\r\n```', '/deploy **prod**\n\n```\n/deploy stage\n```'],
  ])('not in a line that an edit %s makes visible', async (_name, body, edited) => {
    const { as, comment, handled, ran } = await deployScene({ edits: true })
    const comment_id = await comment('mallory', body)
    await as('mona').issues.updateComment({ ...repo, comment_id, body: edited })
    await handled()
    expect(ran).toEqual([])
    await as('mona').issues.updateComment({ ...repo, comment_id, body: `${edited}\n\n  /deploy \`v1\`\n` })
    await handled()
    expect(ran).toEqual([{ environment: 'v1', version: undefined }])
  })

  test('not in an edit that leaves the text as it is', async () => {
    const { as, handled, ran } = await deployScene({ edits: true, bodies: true })
    const { data } = await as('mona').issues.create({ ...repo, title: 'New', body: '/deploy prod' })
    await handled()
    await as('mona').issues.update({ ...repo, issue_number: data.number, title: 'Newer' })
    await handled()
    expect(ran).toEqual([prod])
  })

  test('an edit by a user without the permission does not run a command', async () => {
    const { as, comment, handled, ran } = await deployScene({ edits: true })
    const comment_id = await comment('mona', 'Hello')
    await as('mallory').issues.updateComment({ ...repo, comment_id, body: '/deploy prod' })
    await handled()
    expect(ran).toEqual([])
  })

  test('not in edits by default', async () => {
    const { as, comment, handled, ran } = await deployScene()
    const comment_id = await comment('mona', 'Hello')
    await as('mona').issues.updateComment({ ...repo, comment_id, body: '/deploy prod' })
    await handled()
    expect(ran).toEqual([])
  })

  test.each([
    [false, []],
    [true, []], // GitHub has no permission for this bot
    [['other[bot]'], []],
    [['mona[bot]'], [prod]],
  ])('in comments of bots, if the command says so: %j', async (bots, expected) => {
    const { github, ran, replies, handled } = await deployScene({ bots })
    const sender = { login: 'mona[bot]', id: 66, type: 'Bot' }
    await github.deliver('issue_comment.created', {
      ...{ action: 'created', issue: { number: 7 }, sender, repository: { full_name: 'octo/hello', id: 1 } },
      comment: { id: 5, body: '/deploy prod\n/help', user: sender },
    })
    await handled()
    expect(ran).toEqual(expected)
    expect(await replies()).toHaveLength(bots === true ? 1 : 0)
  })

  test('not in the replies of commands', async () => {
    let runs = 0
    const scene = await startScene((hooks) => {
      hooks.command('/again', { permission: 'read', edits: true }, async ({ reply }) => {
        runs++
        await reply('/again')
      })
    })
    await scene.comment('mona', '/again')
    await scene.handled()
    expect(runs).toBe(1)
    expect(await scene.replies()).toEqual(['/again'])
  })
})

describe('an attempt', () => {
  test('that is repeated replies once with the same text', async () => {
    const scene = await startScene(
      (hooks) => {
        hooks.command('/deploy', { attempts: 2, backoff: '1ms' }, async ({ attempt, reply }) => {
          await reply('Deployment starts')
          await reply(`Attempt ${attempt}`)
          if (attempt === 1) throw new Error('as planned')
        })
      },
      { stores: true },
    )
    const id = await scene.comment('mona', '/deploy')
    expect(await scene.replies()).toEqual(['Deployment starts', 'Attempt 1', 'Attempt 2'])
    expect(await scene.reactions(id)).toEqual(['eyes', 'rocket'])
    expect(
      scene.github.requests.filter(({ method, path }) => method === 'POST' && /reactions$/.test(path)),
    ).toHaveLength(2)
  })

  test('that ignores its timeout does not block later attempts, or later commands of the comment', async () => {
    const seen = new Set<string>()
    const scene = await startScene(
      (hooks) => {
        hooks.command('/hang', { attempts: 2, backoff: '1ms', timeout: 2500 }, ({ attempt }) => {
          seen.add(`hang ${attempt}`)
          return attempt === 1 ? new Promise(() => {}) : undefined
        })
        hooks.command('/next', { attempts: 50, backoff: '1ms', timeout: 2000 }, () => void seen.add('next'))
      },
      { stores: true },
    )
    await scene.comment('mona', '/hang\n/next')
    expect([...seen].toSorted()).toEqual(['hang 1', 'hang 2', 'next'])
    expect(scene.logger.lines).toContainEqual({
      ...{ level: 'warn', message: expect.stringContaining('an earlier command of the comment did not end') },
      fields: expect.objectContaining({ handler: 'command:/next' }),
    })
  })

  test.each([
    ['the last one', 2, () => new Error('as planned'), ['eyes', 'confused']],
    ['an unrecoverable one', 2, () => new Unrecoverable('as planned'), ['eyes', 'confused']],
    ['a discarded one', 1, () => new Discard('as planned'), ['eyes']],
  ])('that fails reacts if it is %s', async (_name, attempts, error, expected) => {
    const scene = await startScene(
      (hooks) => {
        hooks.command('/deploy', { attempts, backoff: '1ms' }, () => {
          throw error()
        })
      },
      { stores: true },
    )
    const id = await scene.comment('mona', '/deploy')
    expect(await scene.reactions(id)).toEqual(expected)
  })

  test('succeeds although GitHub accepts no reaction', async () => {
    const { github, comment, ran, logger } = await deployScene()
    github.failAt(/reactions/, { status: 403 }, { status: 403 })
    await comment('mona', '/deploy prod')
    expect(ran).toEqual([prod])
    expect(logger.messages).toContain('Cannot add the reaction rocket to a comment')
  })

  test('does not repeat a reply that GitHub has created in spite of its error', async () => {
    let isFirst = true
    const failingFetch: typeof fetch = async (...given) => {
      const response = await fetch(...given)
      if (given[1]?.method !== 'POST' || !/comments$/.test(response.url) || !isFirst) return response
      isFirst = false
      return Response.json({ message: 'Bad gateway' }, { status: 502 })
    }
    const retry = { retryAfterBaseValue: 1 }
    const scene = await startScene((hooks) => hooks.command('/deploy', { attempts: 1 }, ({ reply }) => reply('Done')), {
      stores: true,
      octokit: Octokit.defaults({ request: { fetch: failingFetch }, retry }),
    })
    await scene.comment('mona', '/deploy')
    expect(await scene.replies()).toEqual(['Done'])
    expect((await scene.inbox?.get(1))?.tasks).toMatchObject([{ attempts: [{ outcome: 'succeeded' }] }])
  })

  test.each([
    ['sends a reply again after an error of GitHub', [502], [502, 201], 'succeeded'],
    ['does not send a reply again that GitHub rejects', [403], [403], 'dead'],
    ['sends a reply at most three times', [502, 503, 502], [502, 503, 502], 'dead'],
  ])('%s', async (_what, failures, answers, outcome) => {
    const { github, comment, inbox } = await startScene(
      (hooks) =>
        hooks.command('/deploy', { attempts: 1 }, ({ reply }) => {
          github.failAt(/^POST .*comments$/, ...failures.map((status) => ({ status })))
          return reply('Done')
        }),
      { stores: true, octokit: Octokit },
    )
    await comment('mona', '/deploy')
    expect((await inbox?.get(1))?.tasks).toMatchObject([{ attempts: [{ outcome }] }])
    const posts = github.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/comments'))
    expect(posts.map(({ status }) => status)).toEqual([201, ...answers])
  })

  test('finds an earlier reply among more than a page of comments', async () => {
    const scene = await startScene(
      (hooks) => {
        hooks.command('/deploy', { attempts: 2, backoff: '1ms' }, async ({ attempt, reply }) => {
          const body = { ...repo, issue_number: 7, body: 'Hi' }
          if (attempt === 1)
            await Promise.all(Array.from({ length: 100 }, () => scene.as('mona').issues.createComment(body)))
          await reply('Done')
          if (attempt === 1) throw new Error('as planned')
        })
      },
      { stores: true },
    )
    await scene.comment('mona', '/deploy')
    expect(await scene.replies()).toHaveLength(0) // they are on the second page of the list
    const { data } = await scene.as('mona').issues.listComments({ ...repo, issue_number: 7, per_page: 100, page: 2 })
    expect(data.filter(({ body }) => body?.endsWith('Done'))).toHaveLength(1)
  })
})

test('a delivery without a command makes no task', async () => {
  const { comment, inbox } = await deployScene({}, { stores: true })
  await comment('mona', 'Not a command: a/deploy')
  const [delivery] = (await inbox?.list({ limit: 10 }))?.deliveries ?? []
  expect(delivery).toMatchObject({ event: 'issue_comment', state: 'ignored' })
})

test('a command can be paused and retried by its handler name', async () => {
  const { as, inbox, ran, github } = await deployScene({}, { stores: true })
  await inbox?.pause('command:/deploy')
  await as('mona').issues.createComment({ ...repo, issue_number: 7, body: '/deploy prod' })
  await github.idle()
  await eventually(async () => expect((await inbox?.get(1))?.tasks).toMatchObject([{ handler: 'command:/deploy' }]))
  expect(ran).toEqual([])
  await inbox?.resume('command:/deploy')
  await eventually(() => expect(ran).toEqual([prod]))
})

test('middleware runs around a command', async () => {
  const seen: unknown[] = []
  const scene = await startScene((hooks) => {
    hooks.use(({ handler }, next) => {
      seen.push(handler)
      return next()
    })
    hooks.command('/deploy', () => void seen.push('ran'))
  })
  await scene.comment('mona', '/deploy\n/help')
  expect(seen).toEqual(['command:/deploy', 'ran'])
})

test('middleware can reject a payload that is signed with the secret of another repository', async () => {
  const secret = () => ({ secret: 'a secret of the tests', id: '5' })
  const ran: unknown[] = []
  const scene = await startScene(
    (hooks) => {
      hooks.use(({ payload, secretId }, next) => {
        const id = 'repository' in payload ? payload.repository?.id : undefined
        if (String(id) !== secretId) throw new Unrecoverable('Signed with the secret of another repository')
        return next()
      })
      hooks.command('/deploy', () => void ran.push('ran'))
    },
    { secret },
  )
  const { data: user } = await scene.as('mona').users.getAuthenticated()
  for (const id of [4, 5]) {
    await scene.github.deliver('issue_comment.created', {
      ...{ action: 'created', issue: { number: 7 }, sender: user, repository: { full_name: 'octo/hello', id } },
      comment: { id: 5, body: '/deploy', user },
    })
    await scene.handled()
    expect(ran).toHaveLength(id - 4)
  }
})

describe('the arguments of hooks.command()', () => {
  const hooks = () => new Hooks({ secret: 'any', token: 'any' })
  const ignore = () => {}

  test.each([
    [{ permission: 'push' }, 'hooks.command(\'/deploy\'): option "permission" must be one of'],
    [{ teams: ['ops'] }, 'option "teams" must be a list of teams, such as [\'acme/ops\']'],
    [{ on: [] }, 'option "on" must be'],
    [{ on: ['commit'] }, 'option "on" must be'],
    [{ bots: 1 }, 'option "bots" must be'],
    [{ bots: ['mona'] }, 'option "bots" must be'],
    [{ name: 'deploy' }, 'a command does not have the option "name"'],
    [{ attempt: 1 }, 'Unknown option "attempt" of a handler'],
  ])('%j are wrong', (options, message) => {
    expect(() => hooks().command('/deploy', options as object, ignore)).toThrow(message)
  })

  test('the handler is a function, after the options', () => {
    expect(() => hooks().command('/deploy', undefined as never)).toThrow('must be a function')
    expect(() => hooks().command('/deploy', ignore as never, {} as never)).toThrow('Options come before the handler')
  })

  test('a name is used once', () => {
    const own = hooks()
    own.command('/deploy', ignore)
    expect(() => own.command('/deploy [version]', ignore)).toThrow('The command /deploy exists already')
    expect(own.off('/deploy', ignore)).toBe(true)
    expect(own.off('/deploy', ignore)).toBe(false)
    own.command('/deploy [version]', ignore)
  })

  test('a handler is removed from the command or the event that off() names, and from no other', () => {
    const own = hooks()
    const names = () => own.registrations.flatMap(({ name, command }) => (command || name === 'on' ? name : []))
    own.command('/deploy', ignore)
    own.on('issue_comment.created', { name: 'on' }, ignore)
    own.command('/ship', ignore)
    expect(own.off('/ship', ignore)).toBe(true)
    expect(names()).toEqual(['command:/deploy', 'on'])
    expect(own.off('issue_comment.created', ignore)).toBe(true)
    expect(own.off('issue_comment.created', ignore)).toBe(false)
    expect(names()).toEqual(['command:/deploy'])
    expect(own.off('/deploy', ignore)).toBe(true)
    expect(names()).toEqual([])
  })

  test('a command needs credentials where handlers run', () => {
    const own = new Hooks({ secret: 'any' })
    own.command('/deploy', ignore)
    expect(() => own.mount()).toThrow(
      /^hooks\.command\('\/deploy'\) at \S+hooks-command\.test\.ts:\d+:\d+ asks GitHub for .* set the option "app"/,
    )
    expect(() => hooks().command('/deploy', ignore)).not.toThrow()
  })

  test('the events depend on the options', () => {
    const own = hooks()
    const eventsOf = (options: object) => {
      own.command('/a', options, ignore)
      const { events } = own.registrations.find(({ command }) => command) ?? { events: [] }
      own.off('/a', ignore)
      return events
    }
    expect(eventsOf({ on: ['issue'] })).toEqual(['issue_comment.created'])
    expect(eventsOf({ on: ['issue'], bodies: true, edits: true })).toEqual([
      ...['issue_comment.created', 'issue_comment.edited', 'issues.opened', 'issues.edited'],
    ])
    expect(eventsOf({ bodies: true })).toEqual([
      ...['issue_comment.created', 'pull_request_review_comment.created', 'issues.opened', 'pull_request.opened'],
    ])
  })
})

test.each([
  ['stops at its signal', ({ signal }: Delivery) => once(signal, 'abort')],
  ['ignores its signal', () => new Promise(() => {})],
])('a command whose last attempt times out is marked as failed, if its handler %s', async (_how, work) => {
  const { comment, reactions } = await startScene(
    (hooks) => hooks.command('/deploy', { attempts: 1, timeout: 500 }, work as never),
    { stores: true },
  )
  const id = await comment('mona', '/deploy')
  await eventually(async () => expect((await reactions(id)).toSorted()).toEqual(['confused', 'eyes']))
})
