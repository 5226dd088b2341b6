/** Stores that lack capabilities. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { recover } from '../../src/github/index.ts'
import { Hooks } from '../../src/hooks.ts'
import { capabilities, hasCapability } from '../../src/inbox/capabilities.ts'
import { moduleInbox } from '../../src/server/config/server-options.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { Retry } from '../../src/thrown.ts'
import { Recorder } from '../recorder.ts'
import { MemoryInbox } from './memory-inbox.ts'
import { eventually, openInbox, withOnly } from './stores.ts'

const secret = 's'

/** A `Hooks` whose inbox has only the two capabilities that it needs. */
function basicHooks(logger: Recorder | false = false) {
  const inbox = new MemoryInbox()
  const hooks = new Hooks({ secret, validateIp: false, logger, inbox })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return { hooks, inbox }
}

describe('a Hooks whose inbox only stores deliveries and hands out their tasks', () => {
  test('receives a delivery, and retries its handler until it succeeds', async () => {
    const { hooks, inbox } = basicHooks()
    const attempts: number[] = []
    hooks.hook('push', (_payload, _guid, { attempt }) => {
      attempts.push(attempt)
      if (attempt < 3) throw new Retry({ after: 0 })
    })
    const request = signedRequest('push', { secret })
    expect((await inject(hooks, request)).status).toBe(202)
    await eventually(() => expect(inbox.stateOf(1)).toBe('done'))
    expect((await inject(hooks, request)).status).toBe(200)
    expect(attempts).toEqual([1, 2, 3])
  })

  test('rejects a request with a wrong signature, although it cannot record the rejection', async () => {
    const { hooks } = basicHooks()
    hooks.hook('push', () => 'pong')
    expect((await inject(hooks, signedRequest('push', { secret: 'wrong' }))).status).toBe(400)
  })

  test('warns about an unknown event name, although it cannot search for it', async () => {
    const recorder = new Recorder()
    const { hooks } = basicHooks(recorder)
    hooks.hook('event_without_a_reader' as string, () => {})
    hooks.mount()
    await eventually(() => expect(recorder.messages.join()).toContain('event_without_a_reader'))
  })
})

describe('a TypeError names the missing capability of an inbox', () => {
  test('in recovery', async () => {
    const { hooks } = basicHooks()
    await expect(recover(hooks, { targets: 'acme/shop#7' })).rejects.toThrow(
      new TypeError(
        'Recovery needs an inbox with the capability MissedDeliveryStore; ' +
          'this inbox lacks knownGuids, saveMissedDeliveries, missedDeliveries, createdAt',
      ),
    )
  })

  test.each(capabilities.slice(2))('in a server, without %s', (name) => {
    const others = capabilities.filter((other) => other !== name)
    const hooks = new Hooks({ secret, inbox: withOnly(openInbox(), ...others) })
    const database = { value: 'hookserver.db', source: undefined }
    expect(() => moduleInbox({ database }, hooks)).toThrow(`This command needs an inbox with the capability ${name};`)
  })
})

test('SQLite has all capabilities', () => {
  expect(capabilities.filter((name) => !hasCapability(openInbox(), name))).toEqual([])
})
