/** The option `parsePayload` with an inbox: the worker parses, and not the receiver. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { keepDigits } from '../../src/runtime/json.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { detailIn, eventually, openInbox, stateIn, storeIn, taskIn } from './stores.ts'

const secret = 'a secret of the tests'
const payload =
  '{"action":"deploy","client_payload":{"id":9007199254740993},"number":7,"repository":{"full_name":"acme/site"}}'
const parsePayload = (json: string): object => JSON.parse(json, keepDigits)

function hooksWith(options: HooksOptions): Hooks {
  const hooks = new Hooks({ secret, validateIp: false, logger: false, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return hooks
}

const send = (hooks: Hooks, form: boolean) =>
  inject(hooks, signedRequest('repository_dispatch', { secret, payload, form }))
const reaches = (inbox: ReturnType<typeof openInbox>, id: number, state: string) =>
  eventually(async () => expect(await stateIn(inbox, id)).toBe(state))

describe('a handler of an inbox', () => {
  test.each([false, true])('gets what parsePayload returns; the payload is a form: %s', async (form) => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, parsePayload })
    hooks.hook('repository_dispatch.deploy', ({ client_payload }) => client_payload?.id)
    expect((await send(hooks, form)).status).toBe(202)
    await reaches(inbox, 1, 'done')
    const { attempts } = await taskIn(inbox, 1, 'hook:repository_dispatch.deploy')
    expect(attempts).toMatchObject([{ outcome: 'succeeded', result: '9007199254740993' }])
    expect(await detailIn(inbox, 1)).toMatchObject({ action: 'deploy', number: 7, repository: 'acme/site' })
  })

  test('gets the result in a worker process', async () => {
    const inbox = openInbox()
    const id = await storeIn(inbox, payload)
    const hooks = hooksWith({ inbox, parsePayload })
    hooks.hook('push', (data) => (data as { client_payload?: { id: unknown } }).client_payload?.id)
    hooks.work()
    await reaches(inbox, id, 'done')
    expect((await taskIn(inbox, id, 'hook:push')).attempts).toMatchObject([{ result: '9007199254740993' }])
  })

  test('is retried if parsePayload fails, and succeeds when parsePayload succeeds', async () => {
    const inbox = openInbox()
    const results: object[] = [[], { repaired: true }]
    const errors: unknown[] = []
    const hooks = hooksWith({
      inbox,
      parsePayload: () => results.at(errors.length) ?? {},
      onError: ({ error, delivery: { action, repository, payload } }) =>
        errors.push([(error as Error).message, action, repository, payload]),
    })
    hooks.hook('repository_dispatch', { backoff: '1ms' }, (data) => data)
    expect((await send(hooks, false)).status).toBe(202)
    await reaches(inbox, 1, 'done')
    const message = 'Option "parsePayload" must return an object, not a list or a promise'
    expect(errors).toEqual([[message, 'deploy', 'acme/site', {}]])
    const { attempts } = await taskIn(inbox, 1, 'hook:repository_dispatch')
    expect(attempts).toMatchObject([
      { outcome: 'failed', error: expect.stringContaining(message) },
      { outcome: 'succeeded', result: '{"repaired":true}' },
    ])
  })

  test('has the error of parsePayload as the error of its attempt, and never runs', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({
      inbox,
      parsePayload() {
        throw new Error('of the parser')
      },
    })
    let ran = false
    hooks.hook('repository_dispatch', { attempts: 1 }, () => (ran = true))
    await send(hooks, false)
    await reaches(inbox, 1, 'dead')
    const { attempts } = await taskIn(inbox, 1, 'hook:repository_dispatch')
    expect(attempts).toMatchObject([
      {
        outcome: 'dead',
        error: expect.stringMatching(/Option "parsePayload" failed\nCaused by: Error: of the parser/),
      },
    ])
    expect(ran).toBe(false)
  })
})
