/** Deliveries in GitHub's log, and checks of their outcome. */
import { expect } from 'vitest'
import { defaultRetryPolicy, type RetryPolicy } from '../../src/github/requester.ts'
import { storeIn } from '../inbox/stores.ts'
import type { Scene } from './recovery-scene.ts'

/** Retries without long waits. */
export const fastRetries: RetryPolicy = { ...defaultRetryPolicy, requestTimeout: 1000, retries: [10, 10, 10] }

/** The same for entries that GitHub never answers, because each retry waits for the timeout. */
export const oneRetry: RetryPolicy = { ...fastRetries, retries: [10] }

/** On a busy machine, the local GitHub may take seconds to answer. */
export const noRetries: RetryPolicy = { ...defaultRetryPolicy, requestTimeout: 60_000, retries: [] }

const push = { ref: 'refs/heads/main', repository: { id: 1, full_name: 'acme/shop', private: false } }

/** Adds failed deliveries to GitHub's log. @returns their GUIDs. */
export function failed(
  scene: Scene,
  count: number,
  { hook = scene.hook, event = 'push', deliveredAt = Date.now() } = {},
): string[] {
  const past = { event, payload: push, statusCode: 502, status: 'failed to connect to host', deliveredAt }
  return scene.github.record(hook, Array(count).fill(past)).map(({ guid }) => guid)
}

/** Adds successful deliveries to GitHub's log and to the inbox. @returns their GUIDs. */
export async function succeeded(scene: Scene, count: number, hook = scene.hook): Promise<string[]> {
  const guids = scene.github.record(hook, Array(count).fill({ event: 'push', payload: push })).map(({ guid }) => guid)
  await Promise.all(guids.map((guid) => storeIn(scene.inbox, push, { hookId: String(hook.id), guid })))
  return guids
}

/** Checks that these deliveries, and no others, were handled once each. */
export async function allHandledOnce(scene: Scene, guids: readonly string[]): Promise<void> {
  await scene.github.idle()
  await scene.allHandled()
  expect([...scene.handled].toSorted()).toEqual(guids.map((guid) => [guid, 1]).toSorted())
}

/** The number of requested redeliveries of each delivery, successful or not. */
export function redeliveryCounts(scene: Scene): number[] {
  const posts = scene.github.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/attempts'))
  return [...Map.groupBy(posts, ({ path }) => path).values()].map((all) => all.length)
}
