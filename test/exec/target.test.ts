import { describe, expect, test } from 'vitest'
import { exec } from '../../src/exec/index.ts'
import { targetOf } from '../../src/exec/target.ts'
import { samples } from '../../src/testing/index.ts'
import { deliveryOf } from './fixtures.ts'

const sha = '0123456789abcdef0123456789abcdef01234567'
const zeros = '0'.repeat(40)
const run = (changes: object) => ({
  workflow_run: {
    ...{ head_branch: 'main', head_sha: sha, event: 'push' },
    ...{ repository: { full_name: 'acme/site' }, head_repository: { full_name: 'acme/site' } },
    ...changes,
  },
})

describe('the ref and the commit', () => {
  test.each<[string, string, Record<string, unknown>, string | undefined, string | undefined]>([
    ['a push', 'push', { ref: 'refs/heads/main', after: sha }, 'refs/heads/main', sha],
    ['a push of a tag', 'push', { ref: 'refs/tags/v1', after: sha, head_commit: null }, 'refs/tags/v1', sha],
    [
      'a push of an annotated tag, whose object is not the commit',
      'push',
      { ref: 'refs/tags/v1', after: '1'.repeat(40), head_commit: { id: sha } },
      'refs/tags/v1',
      sha,
    ],
    [
      'a push with SHA-256',
      'push',
      { ref: 'refs/heads/a', after: sha + sha.slice(0, 24) },
      'refs/heads/a',
      sha + sha.slice(0, 24),
    ],
    ['a branch’s creation', 'create', { ref: 'main', ref_type: 'branch' }, 'refs/heads/main', undefined],
    ['a tag’s creation', 'create', { ref: 'main', ref_type: 'tag' }, 'refs/tags/main', undefined],
    ['a release', 'release', { release: { tag_name: 'v1' } }, 'refs/tags/v1', undefined],
    [
      'a pull request',
      'pull_request',
      { pull_request: { number: 7, head: { ref: 'main', sha } } },
      'refs/pull/7/head',
      sha,
    ],
    ['a pull request, as BigInt', 'pull_request', { pull_request: { number: 7n } }, 'refs/pull/7/head', undefined],
    ['a workflow', 'workflow_run', run({}), 'refs/heads/main', sha],
    ['a dispatch', 'workflow_dispatch', { ref: 'refs/heads/main' }, 'refs/heads/main', undefined],
    [
      'a merge queue',
      'merge_group',
      { merge_group: { head_ref: 'refs/heads/gh-readonly-queue/main/pr-1', head_sha: sha } },
      'refs/heads/gh-readonly-queue/main/pr-1',
      sha,
    ],
    ['a check', 'check_suite', { check_suite: { head_branch: 'main', head_sha: sha } }, undefined, sha],
    ['a job', 'workflow_job', { workflow_job: { head_branch: 'main', head_sha: sha } }, undefined, sha],
    ['a deployment', 'deployment', { deployment: { ref: 'main', sha } }, undefined, sha],
    ['a status', 'status', { sha }, undefined, sha],
    ['an issue', 'issues', { issue: { number: 1 } }, undefined, undefined],
  ])('of %s', (_, event, data, ref, commit) => {
    expect(targetOf(event, data)).toEqual({ ref, sha: commit, deleted: false })
  })

  test.each(['pull_request', 'pull_request_target', 'workflow_run', undefined])(
    'have no branch for a workflow started by %s, which may be a stranger’s',
    (event) => expect(targetOf('workflow_run', run({ event })).ref).toBe(undefined),
  )

  test.each([
    { head_repository: { full_name: 'mallory/site' } },
    { head_repository: null },
    { head_repository: undefined, repository: undefined },
  ])('have no branch for a workflow in a fork or in a deleted repository: %j', (changes) => {
    expect(targetOf('workflow_run', run(changes)).ref).toBe(undefined)
  })

  test.each([
    'main',
    'refs/',
    'refs/heads/a b',
    'refs/heads/a\nb',
    'refs/heads/../../etc',
    'refs/heads//a',
    'refs/heads/a/',
    'refs/heads/.a',
    'refs/heads/.lock',
    'refs/heads/a.lock',
    'refs/heads/a.lock/b',
    'refs/heads/a.',
    'refs/heads/a@{1}',
    'refs/heads/a\\b',
    'refs/heads/a[1]',
    '--upload-pack=x',
  ])('are undefined for a ref that git rejects: %j', (ref) => expect(targetOf('push', { ref }).ref).toBe(undefined))

  test.each([
    'refs/heads/a./b',
    'refs/heads/@',
    'refs/heads/a.locked',
    'refs/heads/a{1}',
    'refs/heads/-',
    'refs/heads/ä',
  ])('are those of the payload if git accepts the ref: %j', (ref) => expect(targetOf('push', { ref }).ref).toBe(ref))

  test.each([zeros, '--force', 'abc', `${sha}\n`, sha.toUpperCase(), 1])(
    'are undefined for an invalid commit: %j',
    (after) => {
      expect(targetOf('push', { after }).sha).toBe(undefined)
    },
  )

  test('are read from every sample payload without an error', () => {
    for (const { event, payload } of samples()) {
      const { ref, sha: commit } = targetOf(event, payload as Record<string, unknown>)
      expect(ref ?? 'refs/').toMatch(/^refs\//)
      if (event === 'push' || event === 'pull_request') expect([ref, commit ?? 'deleted']).not.toContain(undefined)
    }
  })
})

describe('a program for branches', () => {
  const outcome = (branch: string | string[], changes: Record<string, unknown>, event?: string) =>
    deliveryOf(changes, event).run(exec('true', { branch }))

  test.each<[string | string[], Record<string, unknown>, string?]>([
    ['main', {}],
    [['dev', 'main'], {}],
    ['release/1.0', { ref: 'refs/heads/release/1.0' }],
    ['main', { ref: 'main', ref_type: 'branch', after: undefined }, 'create'],
    ['main', { ref: undefined, after: undefined, ...run({}) }, 'workflow_run'],
  ])('for %j runs for %j', async (branch, changes, event) => {
    expect(await outcome(branch, changes, event)).toMatch(/^true exited with 0/)
  })

  test.each<[string | string[], Record<string, unknown>, string, string?]>([
    ['main', { ref: 'refs/heads/x' }, 'refs/heads/x is not main'],
    [['dev', 'main'], { ref: 'refs/heads/x' }, 'refs/heads/x is not dev or main'],
    ['main', { ref: 'refs/heads/main/x' }, 'refs/heads/main/x is not main'],
    ['main', { ref: 'refs/heads/MAIN' }, 'refs/heads/MAIN is not main'],
    ['main', { ref: 'refs/tags/main' }, 'refs/tags/main is not main'],
    ['main', { ref: 'main' }, 'the branch of this push delivery is unknown'],
    ['main', { ref: undefined }, 'the branch of this issues delivery is unknown', 'issues'],
    ['main', { deleted: true }, 'refs/heads/main was deleted'],
    ['main', { after: zeros }, 'refs/heads/main was deleted'],
    ['main', { ref: 'main', ref_type: 'branch', after: undefined }, 'refs/heads/main was deleted', 'delete'],
    [
      'main',
      { ref: undefined, pull_request: { number: 7, head: { ref: 'main' } } },
      'refs/pull/7/head is not main',
      'pull_request',
    ],
  ])('for %j does not run for %j', async (branch, changes, text, event) => {
    expect(await outcome(branch, changes, event)).toBe(`Skipped: ${text}`)
  })

  test('is skipped without waiting for its turn', async () => {
    const handler = exec('sleep', ['60'], { branch: 'main', killAfter: 0 })
    const first = deliveryOf()
    const held = first.run(handler)
    expect(await deliveryOf({ ref: 'refs/heads/x' }).run(handler)).toBe('Skipped: refs/heads/x is not main')
    first.delivery.abort(new Error('enough'))
    await expect(held).rejects.toThrow('enough')
  })
})
