import { describe, expect, test } from 'vitest'
import { type DeliveryHeaders, ReceivedDelivery } from '../src/delivery.ts'
import type { Json } from '../src/runtime/json.ts'
import { sourcesOf } from './inbox/fixtures.ts'
import { Recorder } from './recorder.ts'

const facts: DeliveryHeaders = {
  guid: 'g',
  event: 'issues',
  headers: {
    'x-github-hook-id': '42',
    'x-github-hook-installation-target-type': 'organization',
    'x-github-hook-installation-target-id': '7',
  },
  receivedAt: new Date(5),
  source: '/hooks',
  secretId: 'one',
  secretIndex: 1,
}

const payload = {
  action: 'opened',
  installation: { id: 3 },
  repository: { full_name: 'acme/site' },
  sender: { login: 'ada' },
}

/** A delivery whose handlers get the same payload that hookserver reads. */
const deliveryOf = (data: Json, headers = facts, log = new Recorder()) =>
  new ReceivedDelivery(headers, { data, members: data }, sourcesOf(log))

describe('a delivery', () => {
  test('that was just received is in its first attempt, and has no flags', () => {
    const delivery = deliveryOf(payload)
    expect(delivery).toMatchObject({ ...facts, action: 'opened', payload, attempt: 1 })
    expect(delivery).toMatchObject({ redelivered: false, pulled: false, replayed: false, conflict: false })
  })

  test('from an inbox has the attempt and the flags of the inbox', () => {
    const more = { attempt: 3, redelivered: true, pulled: true, replayed: true, conflict: true }
    expect(deliveryOf({}, { ...facts, ...more })).toMatchObject(more)
  })

  test('has the members from its headers and payload', () => {
    const delivery = deliveryOf(payload)
    const { hookId, targetType, targetId, installationId, repository, sender } = delivery
    expect([hookId, targetType, targetId]).toEqual(['42', 'organization', '7'])
    expect([installationId, repository, sender]).toEqual(['3', 'acme/site', 'ada'])
  })

  test('has undefined members for headers and payloads without the data, or with another type', () => {
    const hostile = { action: 5, installation: { id: 'x' }, repository: 'acme/site', sender: null }
    for (const data of [{}, hostile, JSON.parse('{"__proto__":{"action":"opened"}}')]) {
      const delivery = deliveryOf(data, { ...facts, headers: {} })
      const { action, hookId, targetType, targetId, installationId, repository, sender } = delivery
      expect([action, hookId, targetType, targetId, installationId, repository, sender]).toEqual(
        Array(7).fill(undefined),
      )
    }
  })

  test.each([
    [0, '0'],
    [2 ** 53 - 1, '9007199254740991'],
    [2n ** 53n + 1n, '9007199254740993'],
    ['9007199254740993', '9007199254740993'],
    [2 ** 53, undefined], // may be rounded
    [-1, undefined],
    [1.5, undefined],
    [-1n, undefined],
    ['', undefined],
    ['1\n', undefined],
    ['1/../2', undefined],
    [[1], undefined],
    [null, undefined],
  ])('with the installation id %o has the id as text: %o', (id, text) => {
    expect(deliveryOf({ installation: { id } }).installationId).toBe(text)
  })

  test('describes the payload that hookserver has read, and not the data of the handlers', () => {
    const data = { action: 'x', installation: { id: 1 }, repository: { full_name: 'x' }, sender: { login: 'x' } }
    const delivery = new ReceivedDelivery(facts, { data, members: payload }, sourcesOf(new Recorder()))
    const { action, installationId, repository, sender } = delivery
    expect(delivery.payload).toBe(data)
    expect([action, installationId, repository, sender]).toEqual(['opened', '3', 'acme/site', 'ada'])
  })

  test('has members that work when they are taken from it', async () => {
    const recorder = new Recorder()
    const sources = { ...sourcesOf(recorder), readBody: async () => new Uint8Array([1]) }
    const data = { ...payload, pull_request: { number: 7, head: { sha: 'abc' } } }
    const delivery = new ReceivedDelivery(facts, { data, members: data }, sources)
    const { octokit, body, log, repo, issue, pullRequest, config, check, changedFiles } = delivery
    expect(await body()).toEqual(new Uint8Array([1]))
    log.info('a line')
    expect(recorder.messages).toEqual(['a line'])
    expect(repo()).toEqual({ owner: 'acme', repo: 'site' })
    expect(issue()).toEqual({ owner: 'acme', repo: 'site', issue_number: 7 })
    expect(pullRequest()).toEqual({ owner: 'acme', repo: 'site', pull_number: 7 })
    await expect(changedFiles()).rejects.toThrow('delivery.changedFiles()')
    for (const call of [octokit, () => config('bot.yml'), () => check('build', async () => {})]) {
      await expect(call()).rejects.toThrow('There is no GitHub in this test')
    }
  })

  test('logs with its GUID and its event, and with its id and its action if it has them', () => {
    const recorder = new Recorder()
    deliveryOf({}, facts, recorder).log.info({ more: 1 }, 'a line')
    deliveryOf({ action: 'opened' }, { ...facts, id: 42 }, recorder).log.info('a line')
    expect(recorder.lines.map(({ fields }) => fields)).toEqual([
      { guid: 'g', event: 'issues', more: 1 },
      { id: 42, guid: 'g', event: 'issues', action: 'opened' },
    ])
  })

  test('that is aborted twice has a signal with the first reason, whether it is read before or after the abort', () => {
    const [first, second] = [new Error('first'), new Error('second')]
    const before = deliveryOf({})
    const { signal } = before
    expect(signal.aborted).toBe(false)
    const after = deliveryOf({})
    for (const delivery of [before, after]) for (const reason of [first, second]) delivery.abort(reason)
    expect([signal.reason, before.signal, after.signal.reason]).toEqual([first, signal, first])
  })
})
