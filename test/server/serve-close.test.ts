import { expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { resolveConfig } from '../../src/server/config/resolve-config.ts'
import { serve } from '../../src/server/serve.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { openInbox, withMembers } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { secret } from './service.ts'

/** Starts a server on free ports. Its module has this inbox. */
function start(inbox: Store, flags: Readonly<Record<string, string>>) {
  const common = { host: '127.0.0.1', port: '0', adminPort: '0', adminToken: 'a-token-that-is-not-guessed' }
  const recorder = new Recorder()
  const logger = childLogger(recorder)
  const module = { name: 'hooks.ts', hooks: new Hooks({ secret, inbox, logger }), config: undefined }
  const config = resolveConfig({ flags: { ...common, validateIp: 'false', ...flags }, env: {} })
  return { recorder, serving: serve({ config, module, secret: undefined, logger }) }
}

test.each(['all', 'receiver', 'worker'])('closes its inbox once, in the role %s', async (role) => {
  const inbox = openInbox()
  const close = vi.fn(() => inbox.close())
  const { serving } = start(withMembers(inbox, { close }), { role, grace: '1s' })
  await (await serving).close()
  expect(close).toHaveBeenCalledTimes(1)
})

test('stops although its inbox does not close', async () => {
  const inbox = withMembers(openInbox(), { close: () => new Promise<never>(() => {}) })
  const { recorder, serving } = start(inbox, { grace: '1s' })
  const service = await serving
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let stopped = false
  const closing = service.close().then(() => (stopped = true))
  for (let seconds = 0; seconds < 60 && !stopped; seconds++) await vi.advanceTimersByTimeAsync(1000)
  expect(stopped).toBe(true)
  await closing
  expect(recorder.messages).toContain('The inbox did not close in time; its deliveries are safe')
})

test('closes its inbox if it does not start', async () => {
  const inbox = openInbox()
  const close = vi.fn(() => inbox.close())
  const tokens = { adminToken: 'a-token-that-is-not-guessed', readOnlyToken: 'a-token-that-is-not-guessed' }
  const { serving } = start(withMembers(inbox, { close }), tokens)
  await expect(serving).rejects.toThrow('equals the admin token')
  expect(close).toHaveBeenCalled()
})
