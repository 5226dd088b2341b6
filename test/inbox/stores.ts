/** Real inboxes in folders of their own, and doubles that stand in front of them. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import type { Inbox, NewDelivery } from '../../src/inbox/inbox.ts'
import type { DeliveryDetail, TaskDetail } from '../../src/inbox/records.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { bytesOf } from './fixtures.ts'

type AtTheEnd = (work: () => Promise<void>) => void

/** The file of an inbox, for one test. Tests that run beside others say how their own end is noticed. */
export function inboxFile(atTheEnd: AtTheEnd = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-inbox-'))
  atTheEnd(async () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'hookserver.db')
}

/** An inbox that is closed when the test has ended. */
export function openInbox(path?: string, atTheEnd: AtTheEnd = onTestFinished): Inbox {
  const inbox = sqlite(path ?? inboxFile(atTheEnd))
  atTheEnd(() => inbox.close())
  return inbox
}

/** An inbox with members of its own, or with others' in place of its own. */
export function withMembers(inbox: Inbox, members: Partial<Inbox>): Inbox {
  return new Proxy(inbox, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** An inbox that is only looked into when somebody says so: its poll is an hour away. */
export const withoutPolling = (inbox: Inbox): Inbox => withMembers(inbox, { pollInterval: 3_600_000 })

/** Stores a delivery. @returns its id. */
export async function storeIn(inbox: Inbox, payload: unknown = {}, more: Partial<NewDelivery> = {}): Promise<number> {
  const parcel: NewDelivery = {
    ...{ source: '/hooks', hookId: '1', guid: randomUUID(), event: 'push', headers: {}, body: bytesOf(payload) },
    ...{ form: 'json', address: undefined, receivedAt: Date.now() },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
    ...more,
  }
  return (await inbox.store(parcel)).id
}

export async function detailIn(inbox: Inbox, id: number): Promise<DeliveryDetail> {
  const detail = await inbox.get(id)
  if (!detail) throw new Error(`There is no delivery ${id}`)
  return detail
}

export const stateIn = async (inbox: Inbox, id: number): Promise<string> => (await detailIn(inbox, id)).state

export async function taskIn(inbox: Inbox, id: number, handler: string): Promise<TaskDetail> {
  const task = (await detailIn(inbox, id)).tasks.find((one) => one.handler === handler)
  if (!task) throw new Error(`There is no task of ${handler}`)
  return task
}

/** Waits until `check` throws nothing: for what only shows in the inbox, or in another process. */
export const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { interval: 5, timeout: 25_000 })
