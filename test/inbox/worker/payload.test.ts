import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { summarizePayload } from '../../../src/inbox/worker/payload.ts'
import type { Json } from '../../../src/runtime/json.ts'
import { samples } from '../../../src/testing/index.ts'

/** The members of payloads that these tests read without a check. */
interface Known {
  action?: string
  repository?: { full_name: string }
  sender?: { login: string }
  [name: string]: unknown
}

interface Run {
  head_sha: string
  head_branch?: string | null
  name?: string | null
  app?: { name: string }
  conclusion?: string | null
}

const all = samples().map(({ event, payload }) => ({
  event,
  payload: payload as Known,
  facts: summarizePayload(payload),
}))
const of = (event: string) => all.filter((one) => one.event === event)

describe('the summary of a GitHub payload', () => {
  test('has action, repository and sender, in all 329 samples', () => {
    expect(all).toHaveLength(329)
    for (const { payload, facts } of all) {
      expect(facts.action).toBe(payload.action)
      expect(facts.repository).toBe(payload.repository?.full_name)
      expect(facts.sender).toBe(payload.sender?.login)
    }
    expect(all.filter(({ facts }) => facts.repository).length).toBeGreaterThan(250)
    expect(all.filter(({ facts }) => facts.sender).length).toBeGreaterThan(300)
  })

  test.each([
    ['pull_request', 'pull_request'],
    ['pull_request_review', 'pull_request'],
    ['pull_request_review_comment', 'pull_request'],
    ['issues', 'issue'],
    ['issue_comment', 'issue'],
    ['discussion', 'discussion'],
    ['discussion_comment', 'discussion'],
  ])('of %s has title and number of its %s', (event, subject) => {
    expect(of(event).length).toBeGreaterThan(0)
    for (const { payload, facts } of of(event)) {
      const { title, number } = payload[subject] as { title: string; number: number }
      expect(facts).toMatchObject({ title, number })
      expect(facts.number).toBeGreaterThan(0)
    }
  })

  test('of a pull request has branch and commit of its head', () => {
    for (const { payload, facts } of of('pull_request')) {
      const { head } = payload.pull_request as { head: { ref: string; sha: string } }
      expect(facts.ref).toBe(head.ref)
      if (payload.action !== 'synchronize') expect(facts.sha).toBe(head.sha)
    }
  })

  test('of a push has ref, commit, and the first line of its message', () => {
    for (const { payload, facts } of of('push')) {
      expect(facts).toMatchObject({ ref: payload.ref, sha: payload.after })
      const message = (payload.head_commit as { message: string } | null)?.message
      expect(facts.title).toBe(message?.split('\n')[0])
    }
    expect(summarizePayload({ head_commit: { message: 'Subject\n\nBody' } })).toMatchObject({ title: 'Subject' })
  })

  test.each(['check_run', 'check_suite', 'workflow_run', 'workflow_job'])(
    'of a %s has its branch, commit and result',
    (event) => {
      expect(of(event).length).toBeGreaterThan(0)
      for (const { payload, facts } of of(event)) {
        const { head_sha, head_branch, name, app, conclusion } = payload[event] as Run
        expect(facts.sha).toBe(head_sha)
        if (event !== 'check_run') expect(facts.ref).toBe(head_branch ?? undefined)
        const ran = name ?? app?.name ?? ''
        expect(facts.title).toBe([ran, conclusion].filter(Boolean).join(': ') || undefined)
      }
    },
  )

  test('of a run has its result once it has ended', () => {
    const title = (payload: Json) => summarizePayload(payload).title
    expect(title({ workflow_run: { name: 'CI', conclusion: null } })).toBe('CI')
    expect(title({ workflow_run: { name: 'CI', conclusion: 'failure' } })).toBe('CI: failure')
    expect(title({ workflow_run: { name: 'CI', conclusion: '' } })).toBe('CI')
    expect(title({ workflow_run: { conclusion: 'failure' } })).toBe('failure')
    expect(title({ state: 'open', description: 'a repository' })).toBe('a repository')
    expect(title({ check_suite: { app: { name: 'Checker' }, conclusion: 'neutral' } })).toBe('Checker: neutral')
    const long = title({ check_run: { name: 'x'.repeat(2 ** 20), conclusion: 'timed_out' } })
    expect(long).toBe(`${'x'.repeat(289)}: timed_out`)
    expect(title({ check_run: { name: 'x', conclusion: 'y'.repeat(2 ** 20) } })).toHaveLength(300)
  })

  test('of a deployment status has its environment and state', () => {
    for (const { payload, facts } of of('deployment_status')) {
      const { environment, state } = payload.deployment_status as { environment: string; state: string }
      expect(facts.title).toBe(`${environment}: ${state}`)
    }
    const run = { name: 'CI', conclusion: 'success' }
    expect(
      summarizePayload({ deployment_status: { environment: 'production', state: 'error' }, workflow_run: run }),
    ).toMatchObject({
      title: 'production: error',
    })
  })

  test('of a release has its tag', () => {
    expect(of('release').length).toBeGreaterThan(0)
    for (const { payload, facts } of of('release')) {
      expect(facts.ref).toBe((payload.release as { tag_name: string }).tag_name)
    }
  })

  test.each([null, ''])('of a release with the name %j has its tag', (name) => {
    expect(summarizePayload({ release: { name, tag_name: 'v1.2.0' } }).title).toBe('v1.2.0')
  })

  test('of a release, a milestone and a label has their name', () => {
    for (const { payload, facts } of of('release')) {
      const { name, tag_name: tag } = payload.release as { name: string | null; tag_name: string }
      expect(facts.title).toBe(name || tag)
    }
    for (const { payload, facts } of of('milestone'))
      expect(facts).toMatchObject(pick(payload.milestone as Known, 'title', 'number'))
    for (const { payload, facts } of of('label')) expect(facts.title).toBe((payload.label as { name: string }).name)
  })

  test('of a commit status has the commit, the context and the state', () => {
    expect(of('status').length).toBeGreaterThan(0)
    for (const { payload, facts } of of('status'))
      expect(facts).toMatchObject({ sha: payload.sha, title: `${payload.context}: ${payload.state}` })
  })

  test('has text of at most 300 characters, and whole numbers', () => {
    for (const { facts } of all) expectFacts(facts)
    expect(summarizePayload({ issue: { title: 'x'.repeat(1000), number: 1 } })).toMatchObject({
      title: 'x'.repeat(300),
    })
  })
})

describe('the summary of any JSON object', () => {
  test('has only members of the right type', () => {
    expect(
      summarizePayload({
        action: 1,
        repository: 'acme/site',
        sender: { login: null },
        issue: { number: 1.5, title: [] },
      }),
    ).toEqual({})
    expect(summarizePayload({ pull_request: null, issue: { title: 'an issue', number: 7 } })).toMatchObject({
      number: 7,
    })
    expect(summarizePayload({ issue: { number: '7' }, number: 8 })).toMatchObject({ number: 8 })
  })

  test('ignores members of a prototype', () => {
    expect(summarizePayload(JSON.parse('{"__proto__":{"action":"x","repository":{"full_name":"a/b"}}}'))).toEqual({})
  })

  test('never throws', () => {
    const names = ['action', 'repository', 'full_name', 'sender', 'login', 'pull_request', 'issue', 'title', 'number']
    const more = [
      ...['conclusion', 'context', 'state', 'deployment_status', 'app', 'environment'],
      'head',
      'ref',
      'sha',
      'after',
      'head_commit',
      'message',
      'workflow_run',
      'name',
      '__proto__',
      'toString',
    ]
    const name = fc.oneof(fc.constantFrom(...names, ...more), fc.string())
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom(null, true, '', 'text', 0, -1, 1e300, 2 ** 53),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value')),
      ),
    }))
    fc.assert(fc.property(fc.dictionary(name, value), (data) => expectFacts(summarizePayload(data as Json))))
  })
})

function expectFacts({ number, ...texts }: ReturnType<typeof summarizePayload>): void {
  expect(number === undefined || Number.isSafeInteger(number)).toBe(true)
  for (const text of Object.values(texts)) {
    expect(text === undefined || typeof text === 'string').toBe(true)
    expect(text?.length ?? 0).toBeLessThanOrEqual(300)
  }
}

function pick(object: Known, ...names: string[]): Known {
  return Object.fromEntries(names.map((name) => [name, object[name]]))
}
