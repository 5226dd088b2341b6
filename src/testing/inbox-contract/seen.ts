/** Assertions about the state of a store. */
import assert from 'node:assert/strict'
import { hasCapability } from '../../inbox/capabilities.ts'
import type { BasicStore, DeliveryReader, TaskQueue } from '../../inbox/inbox.ts'
import type { DeliveryDetail, DeliveryState, TaskDetail } from '../../inbox/records.ts'
import { unmatched } from './matching.ts'

/** A byte limit above the size of all bodies. */
const plenty = 1e9

/** The only element. */
export function only<T>(list: readonly T[]): T {
  if (list.length !== 1) assert.fail(`expected one, got ${JSON.stringify(list)}`) // JSON of large bodies takes seconds
  return list[0] as T
}

export async function detailOf(inbox: DeliveryReader, id: number): Promise<DeliveryDetail> {
  const detail = await inbox.get(id)
  assert.ok(detail, `delivery ${id} exists`)
  return detail
}

export async function taskOf(inbox: DeliveryReader, id: number, handler: string): Promise<TaskDetail> {
  const { tasks } = await detailOf(inbox, id)
  return only(tasks.filter((task) => task.handler === handler))
}

/** Asserts the state of a delivery, if the store can show it. */
export async function assertState(inbox: BasicStore, id: number, state: DeliveryState): Promise<void> {
  if (!hasCapability(inbox, 'DeliveryReader')) return
  assert.equal((await detailOf(inbox, id)).state, state)
}

/** Asserts the states of all tasks of a delivery, if the store can show them. */
export async function assertTasks(
  inbox: BasicStore,
  id: number,
  states: Readonly<Record<string, TaskDetail['state']>>,
): Promise<void> {
  if (!hasCapability(inbox, 'DeliveryReader')) return
  const { tasks } = await detailOf(inbox, id)
  assert.deepEqual(Object.fromEntries(tasks.map(({ handler, state }) => [handler, state])), states)
}

export async function isUnmatched(inbox: TaskQueue, id: number): Promise<boolean> {
  return (await unmatched(inbox, 500, plenty)).some((delivery) => delivery.id === id)
}
