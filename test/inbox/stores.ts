/** Real inboxes in temporary folders, and proxies that replace some of their methods. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { type Capability, membersOf } from '../../src/inbox/capabilities.ts'
import type { BasicStore, NewDelivery, Store } from '../../src/inbox/inbox.ts'
import type { DeliveryDetail, TaskDetail } from '../../src/inbox/records.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { bytesOf } from './fixtures.ts'

type OnFinished = (work: () => Promise<void>) => void

/** The file of an inbox for one test. Concurrent tests pass their own `onTestFinished`. */
export function inboxFile(onFinished: OnFinished = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-inbox-'))
  onFinished(async () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'hookserver.db')
}

/** An inbox that is closed at the end of the test. */
export function openInbox(path?: string, onFinished: OnFinished = onTestFinished): Store {
  const inbox = sqlite(path ?? inboxFile(onFinished))
  onFinished(() => inbox.close())
  return inbox
}

/** An inbox with some of its members replaced. */
export function withMembers(inbox: Store, members: Partial<Store>): Store {
  return new Proxy(inbox, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** An inbox that has only the given capabilities. */
export function withOnly(inbox: BasicStore, ...capabilities: Capability[]): BasicStore {
  const names = ['close', 'dueHandlers', ...capabilities.flatMap(membersOf)]
  const members = names.map((name) => {
    const value: unknown = Reflect.get(inbox, name)
    return [name, typeof value === 'function' ? value.bind(inbox) : value]
  })
  return Object.fromEntries(members)
}

/** An inbox that a worker queries only when it is woken: the next poll is an hour away. */
export const withoutPolling = (inbox: Store): Store => withMembers(inbox, { pollInterval: 3_600_000 })

/** Stores a delivery. @returns its id. */
export async function storeIn(inbox: Store, payload: unknown = {}, more: Partial<NewDelivery> = {}): Promise<number> {
  const delivery: NewDelivery = {
    ...{ source: '/hooks', hookId: '1', guid: randomUUID(), event: 'push', headers: {}, body: bytesOf(payload) },
    ...{ form: 'json', address: undefined, receivedAt: Date.now() },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
    ...more,
  }
  return (await inbox.store(delivery)).id
}

export async function detailIn(inbox: Store, id: number): Promise<DeliveryDetail> {
  const detail = await inbox.get(id)
  if (!detail) throw new Error(`There is no delivery ${id}`)
  return detail
}

export const stateIn = async (inbox: Store, id: number): Promise<string> => (await detailIn(inbox, id)).state

export async function taskIn(inbox: Store, id: number, handler: string): Promise<TaskDetail> {
  const task = (await detailIn(inbox, id)).tasks.find((one) => one.handler === handler)
  if (!task) throw new Error(`There is no task of ${handler}`)
  return task
}

/** Waits until `check` does not throw, for effects in the inbox or in another process. */
export const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { interval: 10, timeout: 60_000 })
