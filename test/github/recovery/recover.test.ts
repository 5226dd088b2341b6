/** The public functions of `hookserver/github`. */

import { expect, onTestFinished, test } from 'vitest'
import { recover, startRecovery } from '../../../src/github/index.ts'
import { lastSweep } from '../../../src/github/recovery/recovery.ts'
import { Hooks } from '../../../src/hooks.ts'
import { optionsOf } from '../../../src/internals.ts'
import type { HooksOptions } from '../../../src/options.ts'
import { eventually, openInbox } from '../../inbox/stores.ts'
import { Scene } from '../recovery-scene.ts'

/** A receiver that missed two pushes and a star, and `Hooks` that handle pushes. */
async function missing(options: HooksOptions = {}) {
  const scene = await Scene.open()
  await scene.stopListening()
  for (const event of ['push', 'star.created', 'push'] as const) await scene.github.deliver(event, {})
  await scene.startListening()
  const connection = { token: scene.github.addToken(), apiUrl: scene.github.url, ...options }
  const hooks = new Hooks({ ...optionsOf(scene.hooks), ...connection })
  hooks.on('push', { name: 'count' }, () => {})
  return { scene, hooks, targets: `acme/shop#${scene.hook.id}` }
}

test('recover() requests each missed delivery that has a handler once, and reports it', async () => {
  const { scene, hooks, targets } = await missing()
  const { reports, missedDeliveries } = await recover(hooks, { targets, pace: 0 })
  expect(reports).toMatchObject([{ target: 'acme/shop', sent: 3, unhandled: 1, counts: { requested: 2 }, calls: 3 }])
  expect(missedDeliveries.map(({ event, state }) => [event, state])).toEqual(Array(2).fill(['push', 'requested']))
  await scene.github.idle()
  await scene.allHandled()
  expect([...scene.handled.values()]).toEqual([1, 1])
})

test('recover() with dryRun and events reports only these events, and requests nothing', async () => {
  const { scene, hooks } = await missing()
  const options = { targets: ['acme/shop'], publicUrl: scene.url, events: ['star'], dryRun: true }
  const { reports } = await recover(hooks, options)
  expect(reports).toMatchObject([{ sent: 3, unhandled: 2, counts: { missed: 1, requested: 0 } }])
  expect(scene.github.requests.map(({ method }) => method)).not.toContain('POST')
})

test('recover() with mode pull stores the deliveries in the given inbox, with the given source', async () => {
  const inbox = openInbox()
  await inbox.createdAt() // so that the deliveries are newer than the inbox
  const { hooks, targets } = await missing()
  const swept = await recover(hooks, { targets, mode: 'pull', inbox, source: '/github' })
  expect(swept.reports).toMatchObject([{ counts: { received: 2 } }])
  const { deliveries } = await inbox.list({})
  expect(deliveries.map(({ source, pulled }) => [source, pulled])).toEqual(Array(2).fill(['/github', true]))
})

test('recover() reports an error of GitHub, and throws while another process sweeps', async () => {
  const { scene, hooks, targets } = await missing()
  scene.github.failAt(/^GET/, { status: 401 })
  expect((await recover(hooks, { targets })).reports).toMatchObject([{ error: /rejected the token/ }])
  await scene.inbox.lease('recovery', 'another process', 60_000)
  await expect(recover(hooks, { targets })).rejects.toThrow('A recovery sweep is already running')
})

test('recover() ends early when its signal aborts', async () => {
  const { scene, hooks, targets } = await missing()
  const stop = new AbortController()
  const swept = recover(hooks, { targets, pace: 1e6, signal: stop.signal })
  await eventually(async () => expect((await scene.inbox.overview()).missedDeliveries.requested).toBe(1))
  stop.abort()
  await swept
  expect((await scene.inbox.overview()).missedDeliveries).toMatchObject({ requested: 1, missed: 1 })
})

test('startRecovery() sweeps at an interval until it is stopped', async () => {
  const { scene, hooks, targets } = await missing()
  const recovery = startRecovery(hooks, { targets, pace: 0, every: '5ms' })
  onTestFinished(() => recovery.stop())
  await eventually(() => expect(scene.handled.size).toBe(2))
  await scene.stopListening()
  await scene.github.deliver('push', {})
  await scene.startListening()
  await eventually(() => expect(scene.handled.size).toBe(3))
  await recovery.stop()
  const last = await lastSweep(scene.inbox)
  await scene.github.idle()
  expect((await lastSweep(scene.inbox))?.at).toBe(last?.at)
})

test.each([
  [{ targets: 'acme/shop/more' }, /Option "targets" must be 'acme\/shop'.*got "acme\/shop\/more"/],
  [{ targets: [] }, /Option "targets"/],
  [{ targets: 'acme', publicUrl: '/hooks' }, /Option "publicUrl" must be an address/],
  [{ targets: 'acme', mode: 'push' }, /Option "mode"/],
  [{ targets: 'acme', events: ['a b'] }, /Option "events"/],
  [{ targets: 'acme', lookback: 0 }, /Option "lookback"/],
  [{ targets: 'acme', pace: -1 }, /Option "pace"/],
  [{ targets: 'acme', dryrun: true }, /Unknown option "dryrun"/],
  [{ targets: 'acme', inbox: {} }, /Option "inbox"/],
  [{ targets: 'app' }, /GitHub shows the webhook of an App to the App alone/],
])('invalid options are rejected before a request is sent: %j', async (options, message) => {
  const hooks = new Hooks({ secret: 's', token: 't', inbox: openInbox(), apiUrl: 'http://127.0.0.1:9' })
  await expect(recover(hooks, options as never)).rejects.toThrow(message)
  await expect(recover(hooks, options as never)).rejects.toThrow(TypeError)
  expect(() => startRecovery(hooks, options as never)).toThrow(TypeError)
})

test('recover() needs an inbox and credentials', async () => {
  const bare = new Hooks({ secret: 's' })
  await expect(recover(bare, { targets: 'acme' })).rejects.toThrow('Option "inbox" is missing')
  const anonymous = new Hooks({ secret: 's', inbox: openInbox() })
  await expect(recover(anonymous, { targets: 'acme' })).rejects.toThrow(
    /only to an authorized client: set GITHUB_TOKEN, or GITHUB_APP_ID/,
  )
  const enterprise = new Hooks({ ...optionsOf(anonymous), apiUrl: 'https://ghe.example/api/v3' })
  await expect(recover(enterprise, { targets: 'acme' })).rejects.toThrow(/set HOOKSERVER_GITHUB_TOKEN/)
})
