import assert from 'node:assert/strict'
import { signedRequest } from '../../samples/signed-request.ts'
import { assertAnswered, assertRefused, type ContractCase } from './case.ts'
import { deliver, head, send, sendRaw } from './client.ts'
import { contractSecret } from './mounts.ts'

export const replyCases: ContractCase[] = [
  {
    id: 'text',
    name: 'answers with a string as plain text, and counts bytes in Content-Length',
    async run(host) {
      const answer = await deliver(host, 'plain', 'create')
      assertAnswered(answer, 200, 'créé 🚀\u2028')
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
      const length = answer.headers['content-length']
      if (length !== undefined) assert.equal(Number(length), answer.body.length)
    },
  },
  {
    id: 'json',
    name: 'answers with an object as JSON',
    async run(host) {
      const answer = await deliver(host, 'plain', 'issues.opened', { guid: 'a-guid' })
      assert.equal(answer.status, 200, answer.text)
      assert.match(String(answer.headers['content-type']), /^application\/json/)
      const { sha256: _, ...facts } = JSON.parse(answer.text)
      assert.deepEqual(facts, {
        guid: 'a-guid',
        event: 'issues',
        action: 'opened',
        repository: 'Codertocat/Hello-World',
        sender: 'Codertocat',
        hookId: '292430182',
        secretIndex: 0,
        source: '/contract/plain',
      })
    },
  },
  {
    id: 'nothing',
    name: 'answers 204 if the hook returned nothing',
    run: async (host) => assertAnswered(await deliver(host, 'bare', 'delete'), 204, ''),
  },
  {
    id: 'response',
    name: 'sends a Response unchanged, with several cookies',
    async run(host) {
      const answer = await deliver(host, 'plain', 'star.created')
      assertAnswered(answer, 201, 'a star ⭐')
      const { 'content-type': type, 'x-seen': seen, 'set-cookie': cookies } = answer.headers
      assert.deepEqual([type, seen, cookies], ['text/x-star', 'yes', ['a=1', 'b=2']])
    },
  },
  {
    id: 'empty-response',
    name: 'sends a Response without a body unchanged',
    run: async (host) => assertAnswered(await deliver(host, 'bare', 'member'), 201, ''),
  },
  {
    id: 'impossible-response',
    name: 'answers 500 to a Response that cannot be sent',
    run: async (host) => assertRefused(await deliver(host, 'bare', 'status'), 500, 'handler_failed'),
  },
  {
    id: 'not-used',
    name: 'answers 200 “Hook not used” if the event has no handler',
    run: async (host) => assertAnswered(await deliver(host, 'bare', 'push'), 200, 'Hook not used'),
  },
  {
    id: 'handler-fails',
    name: 'answers 500 if a handler fails, never with the text of its error',
    async run(host) {
      for (const name of ['fork', 'gollum']) {
        const answer = await deliver(host, 'plain', name)
        assertRefused(answer, 500, 'handler_failed')
        assert.doesNotMatch(answer.text, /no sender may see/)
      }
    },
  },
  {
    id: 'handler-hangs',
    name: 'answers 503 in time if a handler does not settle, whether or not it observes the signal',
    async run(host) {
      for (const name of ['public', 'page_build']) {
        assertRefused(await deliver(host, 'impatient', name), 503, 'handler_timeout')
      }
    },
  },
  {
    id: 'method',
    name: 'answers 405 with Allow to all methods except POST',
    async run(host) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await send(host, { method, path: '/contract/plain' })
        assertRefused(answer, 405, 'method_not_allowed')
        assert.equal(answer.headers.allow, 'POST')
      }
    },
  },
  {
    id: 'query',
    name: 'routes by the path and ignores the query',
    async run(host) {
      assertRefused(await send(host, { path: '/contract/plain?a=/contract/bare' }), 400, 'missing_signature')
    },
  },
  {
    id: 'other-path',
    name: 'passes other paths on: 404 if nothing else answers them',
    async run(host) {
      for (const path of ['/', '/contract', '/contract/plain/', '/contract/plain/x', '/hooks']) {
        assert.equal((await send(host, { path, body: '{}' })).status, 404, path)
      }
    },
  },
  {
    id: 'escaped-path',
    name: 'compares the path as it was sent: with an escape or a parameter, it is another path',
    async run(host) {
      const delivery = signedRequest('ping', { secret: contractSecret })
      for (const path of ['/contract/%70lain', '/contract/pl%61in', '/contract/plain;a=1', '/contract/plain%3Fa=1']) {
        assert.equal((await send(host, { path, ...delivery })).status, 404, path)
      }
    },
  },
  {
    id: 'dot-segments',
    name: 'resolves the segments . and .. of the path, as Request does',
    about: 'dot segments',
    async run(host) {
      const { headers, body } = signedRequest('ping', { secret: contractSecret })
      const announced = { ...headers, 'content-length': String(Buffer.byteLength(body)) }
      for (const path of ['/./contract/plain', '/contract/a/../plain', '/a/%2E%2e/contract/./plain']) {
        assert.match(await sendRaw(host, head(path, announced) + body), / 200 /, path)
      }
      assert.match(await sendRaw(host, head('/contract/plain/..', announced) + body), / 404 /)
    },
  },
]
