/** Recovery and polling with ids that a JavaScript number cannot hold, in both stores, with new and old Octokits. */
import { Octokit } from 'octokit'
import { request as oldRequest } from 'request-10.0.7'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GitHubClient } from '../../src/github/github-client.ts'
import type { Target } from '../../src/github/target.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import type { OctokitClass } from '../../src/index.ts'
import { postgres } from '../../src/postgres/index.ts'
import { childLogger, silentLogger } from '../../src/telemetry/logger.ts'
import { openInbox } from '../inbox/stores.ts'
import { databases } from '../postgres/databases.ts'
import { PollingScene } from './polling-scene.ts'
import { allHandledOnce } from './recorded-deliveries.ts'
import { Scene, token } from './recovery-scene.ts'

const server = databases()

async function openPostgres(): Promise<Store> {
  const inbox = postgres(await server.create())
  onTestFinished(() => inbox.close())
  return inbox
}

/** An Octokit whose requests are sent by @octokit/request 10.0.7, which rounds large integers. */
const RoundingOctokit = Octokit.plugin((octokit, { baseUrl }) => {
  const hook = octokit.hook.bind(null, 'request')
  return { request: oldRequest.defaults({ baseUrl: baseUrl ?? '', request: { hook } }) }
})

const stores: [string, () => Promise<Store>][] = [
  ['SQLite', async () => openInbox()],
  ['PostgreSQL', openPostgres],
]
const octokits: [string, OctokitClass | undefined][] = [
  ['the newest Octokit', undefined],
  ['@octokit/request 10.0.7', RoundingOctokit as unknown as OctokitClass],
]
const cases = stores.flatMap(([store, open]) => octokits.map(([name, octokit]) => ({ store, open, name, octokit })))

const connectWith = (apiUrl: string, octokit: OctokitClass | undefined) => (target: Target) =>
  new GitHubClient({ apiUrl, token, app: undefined, logger: childLogger(silentLogger), octokit }).requesterFor(target)

const push = { ref: 'refs/heads/main', repository: { id: 1, full_name: 'acme/shop', private: false } }

const isLarge = (id: string) => BigInt(id) > Number.MAX_SAFE_INTEGER

test('the Octokit with @octokit/request 10.0.7 rounds ids for others', async () => {
  const scene = await Scene.open()
  await scene.github.deliver('push', push)
  const octokit = new RoundingOctokit({ baseUrl: scene.github.url, auth: token })
  const { data } = await octokit.request(`GET /repos/acme/shop/hooks/${scene.hook.id}/deliveries`)
  expect(Number.isSafeInteger(data[0].id)).toBe(false)
})

describe.each(cases)('in $store, with $name', ({ open, octokit }) => {
  test('recovery handles each missed delivery once', async () => {
    const scene = await Scene.open({}, await open())
    const connect = connectWith(scene.github.url, octokit)
    await scene.stopListening()
    const guids = await Promise.all(
      [1, 2, 3].map(async () => (await scene.github.deliver('push', push))[0]?.guid ?? ''),
    )
    await scene.startListening()
    const swept = await scene.recovery({ connect }).sweep()
    expect(swept?.reports).toMatchObject([{ sent: 3, counts: { requested: 3 } }])
    expect(swept?.missedDeliveries.every(({ deliveryId }) => isLarge(deliveryId))).toBe(true)
    await allHandledOnce(scene, guids)
    const again = await scene.recovery({ connect }).sweep()
    expect(again?.reports).toMatchObject([{ counts: { received: 3, requested: 0 } }])
    expect((await scene.inbox.missedDeliveries()).map(({ state }) => state)).toEqual(Array(3).fill('received'))
  })

  test('polling stores each delivery once, and continues at its position after a restart', async () => {
    const scene = await PollingScene.open({}, await open())
    const connect = connectWith(scene.github.url, octokit)
    const first = scene.poll({ connect })
    const guids = [await scene.push(), await scene.push()]
    await first.turn()
    await first.stop()
    guids.push(await scene.push())
    scene.github.requests.length = 0
    await scene.poll({ connect }).turn()
    expect(scene.github.requests.map(({ path }) => /deliveries\/\d+$/.test(path))).toEqual([false, true])
    await scene.allHandled()
    expect([...scene.handled].toSorted()).toEqual(guids.map((guid) => [guid, 1]).toSorted())
  })
})
