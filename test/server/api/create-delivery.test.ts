import { describe, expect, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import type { Store } from '../../../src/inbox/inbox.ts'
import { detailIn, eventually, openInbox, stateIn, storeIn, withMembers } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'

const send = (admin: Admin, body: unknown) => admin.post('/api/v1/deliveries', body)

const bodyIn = async (inbox: Store, id: number): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode(await inbox.body(id)))

describe('a delivery that an operator creates', () => {
  test('is signed, received and stored with the source dashboard', async () => {
    const admin = await openAdmin()
    const payload = { ref: 'refs/heads/main', emoji: '🚀', repository: { full_name: 'acme/shop' } }
    const { status, json, headers } = await send(admin, { event: 'push', payload })
    expect([status, headers.location]).toEqual([201, `/api/v1/deliveries/${json.id}`])
    const detail = await detailIn(admin.inbox, json.id)
    expect(detail).toMatchObject({
      guid: json.guid,
      event: 'push',
      source: 'dashboard',
      state: 'pending',
      form: 'json',
    })
    expect(detail).toMatchObject({ algorithm: 'sha256', secretIndex: 0, address: '127.0.0.1', editedFrom: undefined })
    expect(detail.headers).toMatchObject({ 'user-agent': 'hookserver', 'x-github-event': 'push' })
    expect(await bodyIn(admin.inbox, json.id)).toEqual(payload)
    expect(admin.recorder.lines.at(-1)).toMatchObject({
      message: 'Operator action: send',
      fields: { what: { id: json.id, guid: json.guid, event: 'push' }, address: '127.0.0.1' },
    })
  })

  test('is accepted by a server that accepts only SHA-1 from GitHub', async () => {
    const admin = await openAdmin({ hooks: new Hooks({ secret: 's', signatureAlgorithms: ['sha1'], logger: false }) })
    const { status, json } = await send(admin, { event: 'push', payload: {} })
    expect(status).toBe(201)
    expect(await detailIn(admin.inbox, json.id)).toMatchObject({ algorithm: 'sha256' })
  })

  test('is not signed in a worker, which needs no secret', async () => {
    const admin = await openAdmin({ hooks: new Hooks({ logger: false }) })
    const { status, json } = await send(admin, { event: 'push', payload: {} })
    expect(status).toBe(201)
    expect(await detailIn(admin.inbox, json.id)).toMatchObject({ algorithm: undefined, secretIndex: undefined })
  })

  test('refers to its original, and copies the headers of the original except those about its bytes or sender', async () => {
    const admin = await openAdmin()
    const headers = {
      ...{ 'x-github-event': 'issues', 'x-github-delivery': 'old', 'x-github-hook-id': '77', 'content-length': '9' },
      ...{ 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature': '[not kept]' },
    }
    const editedFrom = await storeIn(admin.inbox, { a: 1 }, { hookId: '77', event: 'issues', headers, form: 'form' })
    const { json } = await send(admin, { event: 'issues', payload: { a: 2 }, editedFrom })
    const detail = await detailIn(admin.inbox, json.id)
    expect(detail).toMatchObject({ editedFrom, hookId: '77', event: 'issues', form: 'json' })
    expect(detail.headers).toMatchObject({ 'x-github-hook-id': '77', 'content-type': 'application/json' })
    expect(detail.headers['x-github-delivery']).toBe(json.guid)
    for (const gone of ['content-length', 'x-hub-signature']) expect(detail.headers).not.toHaveProperty(gone)
    expect((await admin.get(`/api/v1/deliveries/${json.id}`)).json.editedFrom).toBe(editedFrom)
    expect((await detailIn(admin.inbox, editedFrom)).editedFrom).toBeUndefined()
  })

  test('has exactly the bytes of the text', async () => {
    const admin = await openAdmin()
    const text = '{ "id": 12345678901234567890, "price": 1.10, "id": 2 }'
    const { status, json } = await send(admin, { event: 'push', text })
    expect(status).toBe(201)
    expect(new TextDecoder().decode(await admin.inbox.body(json.id))).toBe(text)
  })

  test.each([
    [{ text: '{ "a": ' }, 'text'],
    [{ text: '[]' }, 'text'],
    [{ text: 7 }, 'text'],
    [{ text: '{"half":"\ud800"}' }, 'text'],
    [{ text: '{}', payload: {} }, 'payload, text'],
    [{ payload: [] }, 'payload'],
    [{}, 'payload'],
  ])('cannot be created from %j', async (given, name) => {
    const { status, json } = await send(await openAdmin(), { event: 'push', ...given })
    expect([status, json.errors.map((fault: { name: string }) => fault.name)]).toEqual([400, [name]])
  })

  test('is created once for a guid, event and body, and answered with 200 after that', async () => {
    const admin = await openAdmin()
    const body = { event: 'push', payload: { a: 1 }, guid: 'nightly:2026-01-31' }
    const answers = await Promise.all([1, 2, 3].map(() => send(admin, body)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 201])
    const [first] = answers.map(({ json }) => json)
    expect(answers.map(({ json }) => json)).toEqual(Array(3).fill({ id: first.id, guid: body.guid }))
    expect(await detailIn(admin.inbox, first.id)).toMatchObject({ guid: body.guid, duplicates: 0, conflict: false })
    await admin.inbox.discard({ ids: [first.id] }, 'not needed')
    expect((await send(admin, body)).status).toBe(200)
    expect(await stateIn(admin.inbox, first.id)).toBe('discarded')
    expect(admin.recorder.lines.filter(({ message }) => message === 'Operator action: send')).toHaveLength(1)
  })

  test.each([
    { event: 'push', payload: { a: 2 } },
    { event: 'ping', payload: { a: 1 } },
  ])('conflicts with another delivery of its guid: %j', async (other) => {
    const admin = await openAdmin()
    const guid = 'one'
    const { id } = (await send(admin, { event: 'push', payload: { a: 1 }, guid })).json
    const { status, json } = await send(admin, { ...other, guid })
    const detail = `The guid belongs to delivery ${id}, which has another event or another body`
    expect([status, json]).toEqual([409, { status: 409, title: 'conflict', code: 'conflict', detail }])
    expect((await admin.inbox.list({})).deliveries).toHaveLength(1)
  })

  test('may have the guid of a delivery from GitHub', async () => {
    const admin = await openAdmin()
    await storeIn(admin.inbox, { a: 1 }, { guid: 'one' })
    expect((await send(admin, { event: 'push', payload: { a: 2 }, guid: 'one' })).status).toBe(201)
  })

  test('is rejected if its payload is nested too deeply', async () => {
    const admin = await openAdmin()
    const deep = `{"event":"push","payload":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`
    const { status, json } = await send(admin, deep)
    expect([status, json.errors[0].name]).toEqual([400, 'payload'])
  })

  test('is handled like any other', async () => {
    const inbox = openInbox()
    const hooks = new Hooks({ secret: 's', inbox, logger: false })
    hooks.hook('push', ({ ref }, _guid, { source }) => `${ref} from ${source}`)
    const admin = await openAdmin({ hooks, inbox })
    hooks.work()
    const { json } = await send(admin, { event: 'push', payload: { ref: 'refs/heads/main' } })
    await eventually(async () => expect(await stateIn(inbox, json.id)).toBe('done'))
    const { tasks } = await detailIn(inbox, json.id)
    expect(tasks[0]?.attempts[0]?.result).toBe('refs/heads/main from dashboard')
    await hooks.close()
  })

  test('is signed with the secret that a function returns for the original, and has the id of the secret', async () => {
    const secret = (headers: Readonly<Record<string, string | undefined>>) => {
      const id = headers['x-github-hook-id']
      if (id === undefined) throw new Error('no secret id')
      return { secret: `secret of ${id}`, id }
    }
    const admin = await openAdmin({ hooks: new Hooks({ secret, logger: false }) })
    const editedFrom = await storeIn(admin.inbox, {}, { headers: { 'x-github-hook-id': '77' } })
    const { json } = await send(admin, { event: 'push', payload: {}, editedFrom })
    expect(await detailIn(admin.inbox, json.id)).toMatchObject({ secretId: '77' })
    const made = await send(admin, { event: 'push', payload: {} })
    expect([made.status, made.json.code]).toEqual([503, 'inbox_unavailable'])
    expect(made.json.detail).not.toContain('no secret id')
  })

  test('needs no signature if signatures are not checked', async () => {
    const admin = await openAdmin({ hooks: new Hooks({ validateSignature: false, validateIp: false, logger: false }) })
    const { status, json } = await send(admin, { event: 'push', payload: {} })
    expect([status, (await detailIn(admin.inbox, json.id)).algorithm]).toEqual([201, undefined])
  })

  test('may be as large as one from GitHub', async () => {
    const admin = await openAdmin()
    const text = 'x'.repeat(25 * 2 ** 20 - 20)
    const { status, json } = await send(admin, { event: 'push', payload: { text } })
    expect(status).toBe(201)
    expect((await detailIn(admin.inbox, json.id)).size).toBe(text.length + 11)
    const tooLarge = await send(admin, { event: 'push', payload: { text: `${text}${'x'.repeat(20)}` } })
    expect([tooLarge.status, tooLarge.json.code]).toEqual([413, 'payload_too_large'])
  })
})

describe('the API rejects a delivery', () => {
  test('that would need too much memory when parsed', async () => {
    const admin = await openAdmin()
    const hostile = `[${'{"34":0},'.repeat(1_500_000)}0]`
    for (const body of [{ event: 'push', text: hostile }, `{"event":"push","payload":{"a":${hostile}}}`]) {
      const { status, json } = await admin.ask('/api/v1/deliveries', {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      expect([status, json.code, json.detail]).toEqual([
        ...[413, 'payload_too_large', 'The parsed body would need too much memory'],
      ])
    }
  })

  test.each([
    [{}, ['event', 'payload']],
    [{ event: '', payload: {} }, ['event']],
    [{ event: 1, payload: [] }, ['event', 'payload']],
    [{ event: 'push', payload: 'text' }, ['payload']],
    [{ event: 'push', payload: {}, editedFrom: '1' }, ['editedFrom']],
    [{ event: 'push', payload: {}, editedFrom: 0.5 }, ['editedFrom']],
    [{ event: 'push', payload: {}, guid: 'white space' }, ['guid']],
    [{ event: 'push', payload: {}, guid: '' }, ['guid']],
    [{ event: 'push', payload: {}, guid: 'g'.repeat(101) }, ['guid']],
    [{ event: 'push', payload: {}, id: 'g' }, ['id']],
  ])('with the body %j, and reports all problems', async (body, names) => {
    const admin = await openAdmin()
    const { status, json } = await send(admin, body)
    expect([status, json.errors.map(({ name }: { name: string }) => name)]).toEqual([400, names])
  })

  test('with an original that does not exist', async () => {
    const { status, json } = await send(await openAdmin(), { event: 'push', payload: {}, editedFrom: 99 })
    expect([status, json.code]).toEqual([404, 'not_found'])
  })

  test('with an event that is not valid in a header', async () => {
    const { status, json } = await send(await openAdmin(), { event: 'a\nb', payload: {} })
    expect([status, json.errors?.[0]?.name]).toEqual([400, 'event'])
  })

  test('while the inbox cannot store deliveries', async () => {
    const store = () => Promise.reject(new Error('The disk is full'))
    const admin = await openAdmin({ inbox: withMembers(openInbox(), { store }) })
    const { status, json } = await send(admin, { event: 'push', payload: {} })
    expect([status, json.code]).toEqual([503, 'inbox_unavailable'])
    expect(json.detail).not.toContain('disk')
  })
})
