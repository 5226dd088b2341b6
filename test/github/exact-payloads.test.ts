/** Payloads from GitHub's API, in the store: byte for byte, with every digit. */
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { DeliveryLog } from '../../src/github/delivery-log.ts'
import { pulledDelivery } from '../../src/github/pulled-delivery.ts'
import type { Requester } from '../../src/github/requester.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { postgres } from '../../src/postgres/index.ts'
import { anyString } from '../any-string.ts'
import { openInbox } from '../inbox/stores.ts'
import { databases } from '../postgres/databases.ts'
import { PollingScene } from './polling-scene.ts'

const server = databases()

async function openPostgres(): Promise<Store> {
  const inbox = postgres(await server.create())
  onTestFinished(() => inbox.close())
  return inbox
}

/** The number's JSON, as Ruby, Go or JavaScript write it. */
const number = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('-0', '1.0', '1e400', '1E-7', '0.1000', '9007199254740993', '3804004623172239366'),
)
const payload = fc
  .dictionary(anyString(), fc.oneof(number, fc.json({ maxDepth: 3 })))
  .map((members) => `{${Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`)}}`)

test.each([
  ['SQLite', async () => openInbox()],
  ['PostgreSQL', openPostgres],
])('any JSON comes out of %s with the same numbers', async (_store, open) => {
  const inbox = await open()
  let shown = ''
  const github: Requester = {
    request: async () => ({ headers: {}, text: `{"id":1,"request":{"headers":{},"payload":${shown}}}` }),
  }
  const log = new DeliveryLog(github, '/repos/acme/shop/hooks/1/deliveries')
  const property = fc.asyncProperty(payload, fc.uuid(), async (json, guid) => {
    shown = json
    const delivery = pulledDelivery(await log.read('1'), { source: '/hooks', hookId: '1', guid, event: 'push' }, 1)
    const { id } = await inbox.store(delivery)
    expect(new TextDecoder().decode(await inbox.body(id))).toBe(json)
  })
  await fc.assert(property, { numRuns: 50 })
})

test('a large integer in client_payload stops neither polling nor the handler', async () => {
  const scene = await PollingScene.open()
  const json =
    '{"action":"deploy","client_payload":{"build":9007199254740993,"ratio":1.0},"repository":{"id":1,"full_name":"acme/shop"}}'
  await scene.github.deliver('repository_dispatch', json)
  const guid = await scene.push()
  await scene.poll().turn()
  expect(new TextDecoder().decode(await scene.inbox.body(1))).toBe(json)
  await scene.allHandled()
  expect(scene.handled.get(guid)).toBe(1)
})
