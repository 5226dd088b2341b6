/** The model of the part of `DeliveryReader` that the inbox contract needs to check the rest. */

import { missedDeliveryStates } from '../../../src/inbox/missed-deliveries.ts'
import { isPaused } from '../../../src/inbox/pauses.ts'
import type { Query } from '../../../src/inbox/query/query.ts'
import {
  type DeliveryDetail,
  type DeliveryState,
  deliveryStates,
  type InboxOverview,
  type Page,
} from '../../../src/inbox/records.ts'
import { nextAttemptOf, sumByState } from '../../../src/inbox/states.ts'
import { isUnfinished, type ModelData, type ModelDelivery, type ModelTask } from './data.ts'
import { sameBodyAs, toStoredDelivery } from './match.ts'

export function detailOf(data: ModelData, id: number): DeliveryDetail | undefined {
  const delivery = data.deliveries.get(id)
  return delivery && toDetail(data, delivery)
}

export function body({ deliveries }: ModelData, id: number): Uint8Array | undefined {
  return deliveries.get(id)?.content.body
}

/** A page of deliveries. Of the conditions, the model has only state, event and time. */
export function list(data: ModelData, { state, event, until = Infinity, before = Infinity }: Query): Page {
  const { deliveries } = data
  const found = [...deliveries.values()].reverse().filter((delivery) => {
    const isWanted =
      (state ?? delivery.state) === delivery.state && (event ?? delivery.content.event) === delivery.content.event
    return isWanted && delivery.id < before && delivery.content.receivedAt < until
  })
  return { deliveries: found.map((one) => toDetail(data, one)), next: undefined, scanned: deliveries.size, left: 0 }
}

export function overview({ deliveries, pauses, workers }: ModelData): InboxOverview {
  const counts = Map.groupBy(deliveries.values(), ({ state }) => state)
  const count = (state: DeliveryState) => [state, counts.get(state)?.length ?? 0]
  const unfinished = [...deliveries.values()].filter(({ state }) => isUnfinished(state))
  return {
    states: Object.fromEntries(deliveryStates.map(count)) as Record<DeliveryState, number>,
    oldestUnfinished: unfinished[0]?.content.receivedAt,
    handlers: [...new Set([...workers.values()].flatMap(({ handlers }) => handlers.map(({ name }) => name)))].sort(),
    paused: [...pauses],
    size: 0,
    missedDeliveries: sumByState(missedDeliveryStates, []),
  }
}

/** The paused handlers whose tasks wait. */
function pausedHandlers({ pauses }: ModelData, tasks: readonly ModelTask[]): string[] | undefined {
  const waiting = tasks.filter(({ state }) => state === 'pending' || state === 'retrying')
  const paused = waiting.map(({ handler }) => handler).filter((handler) => isPaused(pauses, handler))
  return paused.length > 0 ? paused : undefined
}

function toDetail(data: ModelData, delivery: ModelDelivery): DeliveryDetail {
  const { content, state, sha256, reason, storedAt, duplicates, summary } = delivery
  const { body, address, algorithm, editedFrom, headers, secretId, secretIndex } = content
  const tasks = [...delivery.tasks.values()].sort((a, b) => (a.handler < b.handler ? -1 : 1))
  const { redelivered: _redelivered, body: _body, trace: _trace, ...stored } = toStoredDelivery(delivery)
  return {
    ...stored,
    ...{ state, sha256, reason, storedAt, duplicates, address, algorithm, editedFrom, headers, secretId, secretIndex },
    ...summary,
    sameBodyAs: delivery.replayed ? sameBodyAs(data, delivery) : undefined,
    ...{ size: body.length, ackedAt: storedAt, duration: undefined, failure: undefined },
    pausedHandlers: pausedHandlers(data, tasks),
    nextAttemptAt: nextAttemptOf(state, tasks.map(withStart)),
    attempts: Math.max(0, ...tasks.map(({ attempt }) => attempt)),
    tasks: tasks.map((task) => {
      const { handler, state, key, attempts, attempt, startedAt = 0 } = task
      const running = { number: attempt, startedAt, outcome: 'running' as const, duration: undefined }
      return {
        ...{ handler, state, key, nextAttemptAt: nextAttemptOf(state, [withStart(task)]) },
        blockedBy: blockedBy(data, task),
        attempts: [
          ...attempts,
          ...(state === 'running' ? [{ ...running, error: undefined, result: undefined, log: undefined }] : []),
        ],
      }
    }),
  }
}

/** The delivery that a task waits for: the first of its key, or a later one that runs. */
function blockedBy(data: ModelData, { delivery, handler, key, state, nextAt }: ModelTask): number | undefined {
  if (state !== 'pending' || nextAt !== undefined || key === undefined) return undefined
  const [first, ...later] = data.unfinished(handler, key)
  const blocking = first?.delivery === delivery ? later.find((one) => one.state === 'running') : first
  return blocking?.delivery.id
}

/** A blocked task may start at `startAt` at the earliest. */
const withStart = ({ state, nextAt, startAt }: ModelTask) => ({ state, nextAt: nextAt ?? startAt })
