import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import { storeIn } from '../../inbox/stores.ts'
import { openAdmin } from '../administered.ts'

const hmac = (secret: string, bytes: Uint8Array) => `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`

test('a delivery is signed as it is stored, with the first secret, and it is in the log who asked', async () => {
  const admin = await openAdmin({ hooks: new Hooks({ secret: ['new', 'old'] }) })
  const id = await storeIn(admin.inbox, { text: 'naïve 🚀', bidi: '\u202e', lone: '\ud800' })
  const { status, json } = await admin.post(`/api/deliveries/${id}/signature`)
  const bytes = (await admin.inbox.body(id)) as Uint8Array
  expect([status, json]).toEqual([200, { signature: hmac('new', bytes), algorithm: 'sha256' }])
  const { fields, message } = admin.recorder.lines.at(-1) ?? {}
  expect(message).toBe('An operator did this: sign')
  expect(fields).toMatchObject({ act: 'sign', what: { id }, address: '127.0.0.1' })
  expect(JSON.stringify(admin.recorder.lines)).not.toContain(json.signature)
})

test('a secret is looked up by the headers that it came with', async () => {
  const secret = (headers: Readonly<Record<string, string | undefined>>) =>
    headers['x-github-hook-id'] === '7' ? 'of the seventh' : undefined
  const admin = await openAdmin({ hooks: new Hooks({ secret }) })
  const known = await storeIn(admin.inbox, {}, { headers: { 'x-github-hook-id': '7' } })
  const other = await storeIn(admin.inbox, {}, { headers: { 'x-github-hook-id': '8' } })
  const { json } = await admin.post(`/api/deliveries/${known}/signature`)
  expect(json.signature).toBe(hmac('of the seventh', (await admin.inbox.body(known)) as Uint8Array))
  const refused = await admin.post(`/api/deliveries/${other}/signature`)
  expect([refused.status, refused.json.code]).toEqual([409, 'not_applicable'])
})

test('nothing is signed where signatures are not checked', async () => {
  const admin = await openAdmin({ hooks: new Hooks({ validateSignature: false }) })
  const id = await storeIn(admin.inbox, {})
  const { status, json } = await admin.post(`/api/deliveries/${id}/signature`)
  expect([status, json.code, admin.recorder.lines]).toEqual([409, 'not_applicable', []])
})
