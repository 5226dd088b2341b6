import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import { samples } from '../../samples/index.ts'
import { signedRequest } from '../../samples/signed-request.ts'
import { assertAnswered, assertRefused, type ContractCase } from './case.ts'
import { type ContractHost, deliver, send } from './client.ts'
import { contractSecret } from './mounts.ts'

export const payloadCases: ContractCase[] = [
  {
    id: 'missing-headers',
    name: 'checks first the event header, then the GUID header, then the content type',
    async run(host) {
      // The order and the texts are those of Flask-Hookserver, the predecessor of hookserver.
      const without = (headers: Record<string, string | undefined>) => deliver(host, 'plain', 'ping', { headers })
      const noEvent = await without({ 'x-github-event': undefined, 'x-github-delivery': undefined })
      assertRefused(noEvent, 400, 'missing_event')
      assert.equal(JSON.parse(noEvent.text).detail, 'Missing header: X-GitHub-Event')
      const noGuid = await without({ 'x-github-delivery': undefined })
      assertRefused(noGuid, 400, 'missing_delivery')
      assert.equal(JSON.parse(noGuid.text).detail, 'Missing header: X-GitHub-Delivery')
      assertRefused(await without({ 'content-type': 'text/plain' }), 415, 'unsupported_media_type')
      assertRefused(await without({ 'content-type': undefined }), 415, 'unsupported_media_type')
    },
  },
  {
    id: 'long-headers',
    name: 'rejects an event and a GUID of more than 100 characters',
    async run(host) {
      for (const name of ['x-github-event', 'x-github-delivery']) {
        const answer = await deliver(host, 'plain', 'ping', { headers: { [name]: 'x'.repeat(101) } })
        assertRefused(answer, 400, 'header_too_long')
      }
    },
  },
  {
    id: 'signature-first',
    name: 'reveals nothing about headers and payload to senders that cannot sign',
    async run(host) {
      const headers = { 'x-github-event': undefined, 'content-type': 'text/plain' }
      assertRefused(
        await deliver(host, 'plain', 'ping', { secret: 'another', headers, payload: 'no JSON' }),
        400,
        'wrong_signature',
      )
    },
  },
  {
    id: 'content-type-parameters',
    name: 'parses content types as HTTP defines them, in upper or lower case and with parameters',
    async run(host) {
      for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset=UTF-8']) {
        assertAnswered(await deliver(host, 'plain', 'ping', { headers: { 'content-type': type } }), 200, 'pong')
      }
    },
  },
  {
    id: 'invalid-payload',
    name: 'rejects a payload that is not a JSON object, sent as JSON or as form',
    async run(host) {
      for (const payload of ['', '{', 'null', '1', '"text"', '[]', '[{}]', '{}x', '\u0000']) {
        assertRefused(await deliver(host, 'plain', 'ping', { payload }), 400, 'invalid_payload')
      }
      for (const body of ['', 'x=1', 'payload', 'payload=', 'payload=1', 'payload=%7B%7', 'payload=%ff%7b%7d']) {
        const { headers } = signedRequest('ping', { secret: 'unused', form: true })
        assertRefused(await send(host, { path: '/contract/unsigned', headers, body }), 400, 'invalid_payload')
      }
    },
  },
  {
    id: 'not-utf8',
    name: 'rejects bytes that are not UTF-8',
    async run(host) {
      const { headers } = signedRequest('ping')
      const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
      assertRefused(await send(host, { path: '/contract/unsigned', headers, body }), 400, 'invalid_payload')
    },
  },
  {
    id: 'exact-text',
    name: 'passes emoji, U+2028 and lone surrogates unchanged, as JSON and as form',
    async run(host) {
      const payload = '{"text":"naïve 🚀\u2028\u2029 \\ud83d +%20&=","repository":{"full_name":"a/b"}}'
      for (const form of [false, true]) await assertEchoed(host, { name: 'push', payload, form })
      for (const chunked of [false, true]) await assertEchoed(host, { name: 'push', payload, chunked })
    },
  },
  {
    id: 'exact-integers',
    name: 'passes integers above 2^53 with all their digits if parsePayload keeps them, as JSON and as form',
    async run(host) {
      const payload = '{"id":9007199254740993,"installation":{"id":9007199254740995}}'
      for (const form of [false, true]) {
        const answer = await deliver(host, 'exact', 'repository_dispatch', { payload, form })
        assertAnswered(answer, 200, '9007199254740993 9007199254740995')
      }
    },
  },
  {
    id: 'body',
    name: 'passes the exact bytes of the body to a handler that asks for them, as JSON and as form, small and large',
    async run(host) {
      const large = `{"text":"${'x'.repeat(200_000)}"}`
      for (const payload of ['{ "a" : "\\u00e9 🚀" }\r\n', large]) {
        for (const form of [false, true]) {
          for (const chunked of [false, true]) {
            const { headers, body } = signedRequest('team_add', { secret: contractSecret, payload, form })
            const answer = await send(host, { path: '/contract/plain', headers, body, chunked })
            assertAnswered(answer, 200, createHash('sha256').update(body).digest('hex'))
          }
        }
      }
    },
  },
  {
    id: 'every-sample',
    name: 'passes each of GitHub’s sample payloads byte for byte, as JSON and as form',
    async run(host) {
      sampleTexts ??= samples().map(({ event, payload }) => [event, JSON.stringify(payload)])
      const agent = new Agent({ keepAlive: true })
      try {
        for (const [name, payload] of sampleTexts) {
          for (const form of [false, true]) await assertEchoed(host, { name, payload, form, id: 'echo', agent })
        }
      } finally {
        agent.destroy()
      }
    },
  },
  {
    id: 'hostile-names',
    name: 'treats malicious event names as events without a handler',
    async run(host) {
      for (const name of ['constructor', '__proto__', 'toString', 'error', '*', 'issues.opened', 'hasOwnProperty']) {
        const answer = await deliver(host, 'bare', 'ping', { headers: { 'x-github-event': name } })
        assertAnswered(answer, 200, 'Hook not used')
      }
    },
  },
  {
    id: 'hostile-payload',
    name: 'survives payloads with unexpected members',
    async run(host) {
      const hostile = [
        '{"__proto__":{"x":1},"action":"__proto__"}',
        '{"action":{},"repository":1,"sender":null,"installation":[]}',
        '{"repository":{"full_name":{}}}',
      ]
      for (const payload of hostile) assert.equal((await deliver(host, 'plain', 'push', { payload })).status, 200)
    },
  },
]

/** The event and the JSON of each sample. Kept, because many applications are tested with them. */
let sampleTexts: readonly (readonly [event: string, json: string])[] | undefined

/**
 * Sends a delivery to a hook that replies with the arguments it received. Asserts that the hook received the payload,
 * the event, the action and the repository of the delivery.
 */
async function assertEchoed(
  host: ContractHost,
  {
    name,
    payload,
    id = 'plain',
    ...options
  }: { name: string; payload: string; form?: boolean; chunked?: boolean; id?: string; agent?: Agent },
): Promise<void> {
  const answer = await deliver(host, id, name, { payload, ...options })
  assert.equal(answer.status, 200, answer.text)
  const given = JSON.parse(payload) as { action?: string; repository?: { full_name?: string } }
  const echoed = JSON.parse(answer.text)
  assert.equal(echoed.sha256, createHash('sha256').update(JSON.stringify(given)).digest('hex'), `${name} was changed`)
  assert.deepEqual([echoed.event, echoed.action, echoed.repository], [name, given.action, given.repository?.full_name])
}
