import { describe, expect, test } from 'vitest'
import { type Delivery, Hooks } from '../../src/index.ts'
import type { Json } from '../../src/runtime/json.ts'
import { run, sample, samples } from '../../src/testing/index.ts'

/** A delivery of any event, as a handler gets it. */
async function deliveryOf(name: string, payload: unknown): Promise<Delivery> {
  const hooks = new Hooks({ validateSignature: false, logger: false })
  const got: Delivery[] = []
  hooks.on('*', (delivery) => void got.push(delivery))
  await run(hooks, name, { payload: payload as Json })
  return got[0] as Delivery
}

const repository = { full_name: 'octo/hello' }

describe('repo(), issue() and pullRequest()', () => {
  test('name the repository, the issue and the pull request of a payload', async () => {
    const issue = await deliveryOf('issues.opened', { repository, action: 'opened', issue: { number: 7 } })
    const pull = await deliveryOf('pull_request', { repository, pull_request: { number: 8 } })
    const repo = { owner: 'octo', repo: 'hello' }
    expect([issue.repo(), issue.issue()]).toEqual([repo, { ...repo, issue_number: 7 }])
    expect([pull.issue(), pull.pullRequest()]).toEqual([
      { ...repo, issue_number: 8 },
      { ...repo, pull_number: 8 },
    ])
  })

  test('add other parameters, which take precedence', async () => {
    const { repo, issue } = await deliveryOf('issues', { repository, issue: { number: 7 } })
    expect(repo({ repo: '.github', path: 'a' })).toEqual({ owner: 'octo', repo: '.github', path: 'a' })
    expect(issue({ body: 'Hi' })).toEqual({ owner: 'octo', repo: 'hello', issue_number: 7, body: 'Hi' })
  })

  test('name the pull request of a comment', async () => {
    const issue = { number: 9, pull_request: { url: 'https://api.github.com/repos/octo/hello/pulls/9' } }
    const { pullRequest } = await deliveryOf('issue_comment', { repository, issue })
    expect(pullRequest()).toEqual({ owner: 'octo', repo: 'hello', pull_number: 9 })
  })

  test('work with the samples of all events that have a repository, an issue or a pull request', async () => {
    const all = samples().filter(({ payload }) => 'repository' in payload)
    expect(all.length).toBeGreaterThan(50)
    for (const { event, payload } of all) {
      const { repo, issue, pullRequest } = await deliveryOf(event, payload)
      expect(repo({}).repo).not.toBe('')
      if ('issue' in payload) expect(issue().issue_number).toBeGreaterThan(0)
      if ('pull_request' in payload) expect(pullRequest().pull_number).toBeGreaterThan(0)
    }
  })

  test.each<[string, Json, string]>([
    ['installation.created', { action: 'created' }, 'repo(): the payload of installation.created has no repository'],
    ['push', { repository: { full_name: 'octo' } }, 'repo(): the payload of push has no repository'],
    ['push', { repository: { full_name: '../octo/hello' } }, 'repo(): the payload of push has no repository'],
    ['push', { repository }, 'issue(): the payload of push has no issue and no pull request'],
    ['push', { issue: { number: 7 } }, 'issue(): the payload of push has no repository'],
    ['push', { repository }, 'pullRequest(): the payload of push has no pull request'],
    ['push', { pull_request: { number: '7' }, repository }, 'pullRequest(): the payload of push has no pull request'],
    [
      'issue_comment',
      { issue: { number: 7 }, repository },
      'pullRequest(): the payload of issue_comment has no pull request: its issue is not a pull request',
    ],
  ])('throw for %s with %j: delivery.%s', async (name, payload, message) => {
    const delivery = await deliveryOf(name, payload)
    const call = message.split('(')[0] as 'repo' | 'issue' | 'pullRequest'
    expect(() => delivery[call]()).toThrow(new TypeError(`delivery.${message}`))
  })
})

describe('isBot', () => {
  test.each([
    [{ type: 'Bot', login: 'x' }, true],
    [{ login: 'dependabot[bot]' }, true],
    [{ type: 'User', login: 'octocat' }, false],
    [undefined, false],
  ])('for the sender %j is %s', async (sender, isBot) => {
    expect((await deliveryOf('issues', { sender })).isBot).toBe(isBot)
  })

  test('is false for a person in a sample', async () => {
    expect((await deliveryOf('issues', sample('issues.opened'))).isBot).toBe(false)
  })
})
