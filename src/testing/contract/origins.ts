import assert from 'node:assert/strict'
import { assertAnswered, assertRefused, type ContractCase } from './case.ts'
import { deliver } from './client.ts'

const from = (header: string) => ({ headers: { 'x-forwarded-for': header } })

export const originCases: ContractCase[] = [
  {
    id: 'inside',
    name: 'accepts a delivery from inside the ranges',
    run: async (host) => assertAnswered(await deliver(host, 'inside', 'ping'), 200, 'pong'),
  },
  {
    id: 'outside',
    name: 'rejects a delivery from outside the ranges, even if X-Forwarded-For has an address inside',
    async run(host) {
      const answer = await deliver(host, 'outside', 'ping', from('192.0.2.7'))
      assertRefused(answer, 403, 'forbidden_origin')
      // Flask-Hookserver, the predecessor of hookserver, replied with the same text.
      assert.equal(JSON.parse(answer.text).detail, 'Requests must originate from GitHub')
    },
  },
  {
    id: 'origin-first',
    name: 'checks the origin before the signature and the payload',
    async run(host) {
      assertRefused(await deliver(host, 'outside', 'ping', { secret: 'another', payload: '' }), 403, 'forbidden_origin')
    },
  },
  {
    id: 'warned',
    name: 'accepts a delivery from outside the ranges if validateIp is "warn"',
    run: async (host) => assertAnswered(await deliver(host, 'warned', 'ping'), 200, 'pong'),
  },
  {
    id: 'proxied',
    name: 'uses the last address in X-Forwarded-For if the client is a trusted proxy',
    async run(host) {
      for (const header of [
        '192.0.2.7',
        '10.0.0.1, 192.0.2.7',
        '192.0.2.7:4711',
        '[2001:db8::7]:443',
        '::ffff:192.0.2.7',
      ]) {
        assertAnswered(await deliver(host, 'proxied', 'ping', from(header)), 200, 'pong')
      }
      for (const header of [
        '192.0.2.7, 203.0.113.1',
        '203.0.113.1',
        'unknown',
        '',
        '192.0.2.7,',
        '192.0.2.7.evil',
        '3221225991',
      ]) {
        assertRefused(await deliver(host, 'proxied', 'ping', from(header)), 403, 'forbidden_origin')
      }
    },
  },
]
