/** The model of the interfaces `DeliveryStore` and `Operations`. */
import { hash } from 'node:crypto'
import type { NewDelivery, StoreResult } from '../../../src/inbox/inbox.ts'
import { hasEnded, isRearmed, rerunOf, restartableStates } from '../../../src/inbox/states.ts'
import { retention } from '../store.ts'
import { isUnfinished, type ModelData, type ModelDelivery } from './data.ts'

export function store(data: ModelData, delivery: NewDelivery, now: number): StoreResult {
  const sha256 = hash('sha256', delivery.body)
  const known = [...data.deliveries.values(), ...data.pruned].filter(({ content }) =>
    hasSameIdentity(content, delivery),
  )
  const same = known.find((one) => one.content.pulled || delivery.pulled || one.sha256 === sha256)
  if (!same) return insert(data, delivery, { sha256, variant: known.length, now })
  const conflict = same.variant > 0
  if (data.pruned.has(same)) {
    if (!isRearmed(same.state)) return { id: 0, outcome: 'duplicate', conflict }
    data.pruned.delete(same)
    return { ...insert(data, delivery, { sha256, variant: same.variant, now }), outcome: 'rearmed' }
  }
  same.duplicates++
  data.changed(same)
  if (!isRearmed(same.state)) return { id: same.id, outcome: 'duplicate', conflict }
  rearm(data, same, false)
  return { id: same.id, outcome: 'rearmed', conflict }
}

const hasSameIdentity = (one: NewDelivery, other: NewDelivery): boolean =>
  one.guid === other.guid &&
  one.source === other.source &&
  one.hookId === other.hookId &&
  (one.secretId ?? '') === (other.secretId ?? '')

function insert(
  data: ModelData,
  content: NewDelivery,
  { sha256, variant, now }: { sha256: string; variant: number; now: number },
): StoreResult {
  const id = data.nextId()
  const delivery: ModelDelivery = {
    ...{ id, content, sha256, variant, storedAt: now, state: 'pending', isMatched: false, wasMatched: false },
    ...{ rerun: false, replayed: false, duplicates: 0, reason: undefined, summary: {}, matchAttempts: 0 },
    ...{ tasks: new Map(), record: undefined },
  }
  data.deliveries.set(id, delivery)
  data.changed(delivery)
  return { id, outcome: 'stored', conflict: variant > 0 }
}

/** Makes a delivery unmatched again. @param rerun Whether handlers that succeeded run again. */
function rearm(data: ModelData, delivery: ModelDelivery, rerun: boolean): void {
  Object.assign(delivery, { state: 'pending', isMatched: false, reason: undefined, rerun })
  data.changed(delivery)
}

/** @returns whether there was something to retry. */
export function retry(data: ModelData, id: number): boolean {
  const delivery = data.deliveries.get(id)
  if (!delivery?.isMatched) return false
  if (!isUnfinished(delivery.state)) {
    const hasSucceeded = [...delivery.tasks.values()].some(({ state }) => state === 'done')
    rearm(data, delivery, rerunOf(delivery.state, hasSucceeded))
    return true
  }
  const retried = [...delivery.tasks.values()].filter(({ state }) => ['retrying', 'dead', 'discarded'].includes(state))
  for (const task of retried) {
    Object.assign(task, { state: 'pending', delay: undefined, attemptsUsed: 0, uncounted: 0 })
    data.makeReady(task)
    data.blockUnlessFirst(task)
  }
  data.updateState(delivery)
  return retried.length > 0
}

/** Deletes the deliveries that have ended and are older than the retention. @returns their number. */
export function prune(data: ModelData, now: number): number {
  const old = [...data.deliveries.values()].filter(({ state, isMatched, content }) => {
    return isMatched && hasEnded(state) && content.receivedAt < now - retention
  })
  for (const delivery of old) {
    data.deliveries.delete(delivery.id)
    data.pruned.add(delivery)
    data.changed(delivery)
  }
  return old.length
}

/** Retries one handler. @returns whether its task had ended or was retrying. */
export function retryHandler(data: ModelData, id: number, handler: string): boolean {
  const delivery = data.deliveries.get(id)
  const task = delivery?.tasks.get(handler)
  if (!delivery?.isMatched || !task || !restartableStates.includes(task.state)) return false
  Object.assign(task, { state: 'pending', nextAt: 0, delay: undefined, attemptsUsed: 0, uncounted: 0 })
  data.blockUnlessFirst(task)
  delivery.reason = undefined
  data.updateState(delivery)
  return true
}

/** @returns whether the delivery was dead or unfinished. */
export function discard(data: ModelData, id: number, reason: string): boolean {
  const delivery = data.deliveries.get(id)
  if (!delivery || !(isUnfinished(delivery.state) || delivery.state === 'dead')) return false
  for (const task of delivery.tasks.values()) {
    if (task.state === 'done' || task.state === 'gone') continue
    if (task.state === 'running') {
      task.attempts.push({
        ...{ number: task.attempt, startedAt: task.startedAt ?? 0, duration: undefined, outcome: 'discarded' },
        ...{ error: reason, result: undefined, log: undefined },
      })
    }
    Object.assign(task, { state: 'discarded', nextAt: undefined, delay: undefined, worker: undefined })
    data.promoteNext(task.handler, task.key)
  }
  Object.assign(delivery, { state: 'discarded', isMatched: true, rerun: false, reason, matchAttempts: 0 })
  data.changed(delivery)
  return true
}
