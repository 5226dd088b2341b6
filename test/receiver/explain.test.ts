import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { HashName } from '../../src/http.ts'
import { explainWrongSignature, type UnverifiedDelivery } from '../../src/receiver/explain.ts'
import { Key, parseSignature, type SignatureHeader } from '../../src/receiver/signature.ts'
import { bytesOf, MiB, signatureOf } from './fixtures.ts'

const secret = 'a-long-and-random-secret'
const payload = { action: 'opened', issue: { title: 'naïve 🚀 "quoted" <&> 100%+1', number: 7 }, labels: [] }
const json = JSON.stringify(payload)
const formOf = (text: string) => new URLSearchParams({ payload: text }).toString()

interface Case {
  /** The body that GitHub signed, the secret and the algorithm. */
  signed: string
  signedWith?: string
  algorithm?: HashName
  /** The body that arrived, and the configured secrets. */
  arrived: string | Uint8Array
  secrets?: readonly (string | Uint8Array)[]
  headers?: UnverifiedDelivery['headers']
  createHmac?: UnverifiedDelivery['createHmac']
}

function suspectOf({ signed, signedWith = secret, algorithm = 'sha256', arrived, secrets = [secret], ...rest }: Case) {
  const suspect: UnverifiedDelivery = {
    signature: parseSignature(signatureOf(signedWith, signed, algorithm)) as SignatureHeader,
    body: typeof arrived === 'string' ? bytesOf(arrived) : arrived,
    keys: secrets.map((one) => new Key(one)),
    headers: rest.headers ?? {},
    createHmac: rest.createHmac,
  }
  return suspect
}

const explain = (one: Case) => explainWrongSignature(suspectOf(one))

const escaped = json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
const reserialized = /re-serialized the body/
const whiteSpace = /begins or ends with white space/
const quotes = /is in quotes/
const nothingFits = /matches none of the configured secrets/
const differentSecrets = /X-Hub-Signature matches and X-Hub-Signature-256 does not/

const cases: [name: string, reason: RegExp, one: Case][] = [
  ['a body that was pretty-printed', reserialized, { signed: json, arrived: JSON.stringify(payload, null, 2) }],
  [
    'a body with spaces after colons and commas',
    reserialized,
    { signed: json, arrived: json.replace(/([:,])"/g, '$1 "') },
  ],
  ['a body with a line end', reserialized, { signed: json, arrived: `${json}\n` }],
  ['a body whose characters were escaped', reserialized, { signed: json, arrived: escaped }],
  ['a body whose escapes were resolved', reserialized, { signed: escaped, arrived: json }],
  [
    'a body whose escapes were resolved, pretty-printed',
    reserialized,
    { signed: escaped, arrived: JSON.stringify(payload, null, '\t') },
  ],
  ['a reserialized body, signed with SHA-1', reserialized, { signed: json, arrived: `${json}\n`, algorithm: 'sha1' }],
  [
    'a reserialized body, signed with the second secret',
    reserialized,
    { signed: json, arrived: ` ${json}`, secrets: ['other', secret] },
  ],
  ['JSON that was turned into a form', /turned JSON into a form/, { signed: json, arrived: formOf(json) }],
  ['a form that was turned into JSON', /turned the form into JSON/, { signed: formOf(json), arrived: json }],
  ['an empty body', /the body is empty.*consumed it/, { signed: json, arrived: '' }],
  ['a signature of nothing', /signature is that of an empty body/, { signed: '', arrived: json }],
  ['a configured secret with a line end', whiteSpace, { signed: json, arrived: json, secrets: [`${secret}\n`] }],
  [
    'a configured secret with white space around it',
    whiteSpace,
    { signed: json, arrived: json, secrets: ['other', ` \t${secret}\r\n`] },
  ],
  ['configured bytes with a line end', whiteSpace, { signed: json, arrived: json, secrets: [bytesOf(`${secret}\n`)] }],
  ['a configured secret in quotes', quotes, { signed: json, arrived: json, secrets: ['other', `"${secret}"`] }],
  ['configured bytes in quotes', quotes, { signed: json, arrived: json, secrets: [bytesOf(`'${secret}'`)] }],
  ['quotes without a secret', nothingFits, { signed: json, arrived: '{}', secrets: ['""', '" "'] }],
  [
    'two signatures with different secrets',
    differentSecrets,
    {
      signed: json,
      signedWith: 'other',
      arrived: json,
      headers: { 'x-hub-signature': signatureOf(secret, json, 'sha1') },
    },
  ],
  ['another secret', nothingFits, { signed: json, signedWith: 'other', arrived: json }],
  ['another body', nothingFits, { signed: json, arrived: json.replace('opened', 'closed') }],
  ['a body that is not text', nothingFits, { signed: json, arrived: Uint8Array.of(0xff, 0xfe, 0, 0x7b) }],
  ['a body that is not JSON', nothingFits, { signed: json, arrived: '<h1>Sign in</h1>' }],
  ['a form that is badly escaped', nothingFits, { signed: json, arrived: 'payload=%zz' }],
  ['bytes that are only white space', nothingFits, { signed: json, arrived: json, secrets: [bytesOf(' \n')] }],
  [
    'two signatures that are both wrong',
    nothingFits,
    {
      signed: json,
      signedWith: 'other',
      arrived: json,
      headers: { 'x-hub-signature': signatureOf('other', json, 'sha1') },
    },
  ],
  [
    'a second signature that is malformed',
    nothingFits,
    { signed: json, signedWith: 'other', arrived: json, headers: { 'x-hub-signature': 'sha1=' } },
  ],
]

describe('a wrong signature', () => {
  test.each(cases)('is explained: %s', async (_, reason, one) => {
    expect(await explain(one)).toMatch(reason)
    expect(await explain({ ...one, createHmac })).toMatch(reason)
  })

  test('is not explained by different secrets if SHA-1 is the accepted signature', async () => {
    const headers = { 'x-hub-signature': signatureOf(secret, json, 'sha1') }
    const fromSha1 = { signed: `${json} `, arrived: json, algorithm: 'sha1', headers } as const
    expect(await explain(fromSha1)).toMatch(nothingFits)
  })

  test('is not explained for bodies above 1 MiB', async () => {
    const largest = 'x'.repeat(MiB)
    expect(await explain({ signed: '', arrived: largest })).toMatch(/empty body/)
    expect(await explain({ signed: '', arrived: `${largest}x` })).toBeUndefined()
  })
})

describe('an explanation', () => {
  test.each(cases)('contains no secret, no correct signature and no part of the body: %s', async (_, __, one) => {
    const { keys, body, signature, headers } = suspectOf(one)
    const reason = (await explain(one)) ?? ''
    const secrets = keys.map(({ bytes }) => new TextDecoder().decode(bytes)).filter((text) => text.trim() !== '')
    const fitting = keys.flatMap(({ bytes }) =>
      (['sha256', 'sha1'] as const).flatMap((algorithm) =>
        [body, one.signed].map((text) => signatureOf(bytes, text, algorithm)),
      ),
    )
    const digests = [...fitting, ...Object.values(headers)].map((text) => text?.split('=')[1]).filter(Boolean)
    const hidden = [...secrets, secret, ...digests, Buffer.from(signature.digest).toString('hex'), 'naïve', 'opened']
    expect(hidden.filter((text) => reason.includes(text as string))).toEqual([])
  })

  test('does not depend on the secret', async () => {
    const reasons = await Promise.all(
      ['short', 'a much longer secret'].map((one) =>
        explain({ signed: json, signedWith: one, arrived: ` ${json}`, secrets: [one] }),
      ),
    )
    expect(new Set(reasons).size).toBe(1)
  })
})
