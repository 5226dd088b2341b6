/** The option `parsePayload` without an inbox. `test/inbox/parse-payload.test.ts` has the tests with an inbox. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { inject, type SignedRequestOptions, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'

const secret = 'a secret of the tests'
const payload = '{"client_payload":{"id":9007199254740993},"action":"deploy","installation":{"id":9007199254740995}}'

/** Reads all integers as BigInts, as some parsers do. */
const allBigInts = (json: string): object =>
  JSON.parse(json, (_name, value, context?: { source?: string }) =>
    Number.isInteger(value) ? BigInt(context?.source ?? '') : value,
  )

/** `Hooks` with one hook, which replies with the number of the payload and the members of the delivery. */
function hooksWith(options: HooksOptions): Hooks {
  const hooks = new Hooks({ secret, logger: false, ...options })
  onTestFinished(() => hooks.close())
  hooks.hook('repository_dispatch.deploy', (data, _guid, { action, installationId }) => {
    return [data.client_payload?.id, action, installationId].join(' ')
  })
  return hooks
}

const send = (hooks: Hooks, options: SignedRequestOptions = {}, mount: HooksOptions = {}) =>
  inject(hooks, signedRequest('repository_dispatch', { secret, payload, ...options }), mount)

describe('a handler', () => {
  test('gets what JSON.parse returns by default', async () => {
    expect(await (await send(hooksWith({}))).text()).toBe('9007199254740992 deploy 9007199254740995')
  })

  test.each([false, true])('gets what parsePayload returns; the payload is a form: %s', async (form) => {
    const hooks = hooksWith({ parsePayload: allBigInts })
    expect(await (await send(hooks, { form })).text()).toBe('9007199254740993 deploy 9007199254740995')
  })

  test('gets the result of the option of its mount', async () => {
    const hooks = hooksWith({ parsePayload: allBigInts })
    const parsePayload = () => ({ client_payload: { id: 'mounted' } })
    expect(await (await send(hooks, {}, { parsePayload })).text()).toBe('mounted deploy 9007199254740995')
  })

  test('of a delivery that hooks.receive() got has the result too', async () => {
    const hooks = hooksWith({ parsePayload: allBigInts })
    const { body } = await hooks.receive({ event: 'repository_dispatch', guid: 'g', payload })
    expect(String(body)).toBe('9007199254740993 deploy 9007199254740995')
  })
})

describe('a delivery is rejected as invalid_payload', () => {
  const rejectedWith = async (parsePayload: () => object) => {
    const logger = new Recorder()
    const response = await send(hooksWith({ parsePayload, logger }))
    return { problem: await response.json(), lines: logger.lines }
  }

  test('if parsePayload throws; only the log has the error', async () => {
    const { problem, lines } = await rejectedWith(() => {
      throw new Error('a text that no sender may see')
    })
    expect(problem).toMatchObject({ status: 400, code: 'invalid_payload', detail: 'Option "parsePayload" failed' })
    expect(JSON.stringify(lines)).toContain('a text that no sender may see')
  })

  test('if parsePayload returns a list', async () => {
    const { problem } = await rejectedWith(() => [])
    expect(problem).toMatchObject({
      code: 'invalid_payload',
      detail: 'Option "parsePayload" must return an object, not a list or a promise',
    })
  })
})
