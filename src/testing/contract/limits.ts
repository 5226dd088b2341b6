import assert from 'node:assert/strict'
import { signedRequest } from '../../samples/signed-request.ts'
import { assertAnswered, assertRefused, type ContractCase } from './case.ts'
import { type ContractHost, deliver, head, sendRaw } from './client.ts'
import { contractSecret } from './mounts.ts'

export const limitCases: ContractCase[] = [
  {
    id: 'too-large',
    name: 'rejects a payload larger than the limit, with and without Content-Length',
    async run(host) {
      const payload = { text: 'x'.repeat(2000) }
      for (const chunked of [false, true]) {
        assertRefused(await deliver(host, 'small', 'push', { payload, chunked }), 413, 'payload_too_large')
      }
    },
  },
  {
    id: 'form-limit',
    name: 'applies the limit to the decoded payload of a form',
    async run(host) {
      const fits = { text: '&'.repeat(700) }
      assertRefused(
        await deliver(host, 'small', 'push', { payload: { text: '🚀'.repeat(300) }, form: true }),
        413,
        'payload_too_large',
      )
      assert.equal((await deliver(host, 'small', 'push', { payload: fits })).status, 200)
      assert.equal(
        (await deliver(host, 'small', 'push', { payload: { text: 'é '.repeat(250) }, form: true })).status,
        200,
      )
    },
  },
  {
    id: 'large',
    name: 'accepts a payload of many chunks',
    async run(host) {
      const payload = { text: 'naïve 🚀'.repeat(100_000) } // more than 1 MiB, the default limit of Fastify
      for (const chunked of [false, true]) {
        assert.equal((await deliver(host, 'plain', 'push', { payload, chunked })).status, 200)
      }
    },
  },
  {
    id: 'announced-too-large',
    name: 'rejects a body by its Content-Length before reading it',
    about: 'streaming',
    async run(host) {
      const { headers } = signedRequest('push', { secret: contractSecret })
      assert.match(await sendRaw(host, head('/contract/plain', { ...headers, 'content-length': '30000000' })), / 413 /)
    },
  },
  {
    id: 'rejected-unread',
    name: 'rejects an unsigned delivery, and a delivery from outside the ranges, before reading the body',
    about: 'streaming',
    async run(host) {
      const { headers } = signedRequest('push')
      const announced = { ...headers, 'content-length': '10000' }
      assert.match(await sendRaw(host, head('/contract/plain', announced)), / 400 /)
      assert.match(await sendRaw(host, head('/contract/outside', announced)), / 403 /)
    },
  },
  {
    id: 'body-stalls',
    name: 'answers 408 in time if the body stalls',
    about: 'streaming',
    async run(host) {
      const { headers, body } = signedRequest('push', { secret: contractSecret })
      const half = body.slice(0, body.length / 2)
      const start = head('/contract/impatient', { ...headers, 'content-length': String(body.length) })
      assert.match(await sendRaw(host, start + half), / 408 /)
      assert.match(await sendRaw(host, start), / 408 /)
    },
  },
  {
    id: 'sender-leaves',
    name: 'survives senders that disconnect during a request',
    about: 'streaming',
    async run(host) {
      const { headers, body } = signedRequest('push', { secret: contractSecret })
      const text = head('/contract/plain', { ...headers, 'content-length': String(body.length) }) + body.slice(0, 100)
      await Promise.all(Array.from({ length: 20 }, () => leaveInTheMiddle(host, text)))
      assertAnswered(await deliver(host, 'plain', 'ping'), 200, 'pong')
    },
  },
  {
    id: 'body-consumed',
    name: 'answers immediately, and says what to do, if something else has read the body',
    about: 'consuming',
    async run(host) {
      const answer = await deliver(host, 'consumed', 'ping')
      assertRefused(answer, 500, 'body_already_parsed')
      assert.match(JSON.parse(answer.text).detail, /before hookserver could verify it: \S+/)
    },
  },
]

async function leaveInTheMiddle({ origin }: ContractHost, text: string): Promise<void> {
  const { connect } = await import('node:net')
  const { hostname, port } = new URL(origin)
  await new Promise<void>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) }, () =>
      socket.write(text, () => socket.resetAndDestroy()),
    )
    socket.on('close', () => resolve())
    socket.on('error', () => {}) // the reset that this client causes
  })
}
