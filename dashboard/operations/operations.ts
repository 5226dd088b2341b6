/** Retries and discards deliveries, and reports the result. */
import type { DeliveryDetail, DeliveryState, TaskDetail } from '../../src/server/api/schemas/responses.ts'
import { get, post } from '../api/client.ts'
import { confirmed } from '../ui/confirm.tsx'
import { plain } from '../ui/text.ts'
import { showError, showMessage } from '../ui/toast.tsx'
import { deliveries } from '../ui/units.ts'
import { batchesOf, type Candidates } from './candidates.ts'
import { askToDiscard } from './discard-question.tsx'

export type OperationName = 'retry' | 'discard'

/** The states to which an operation applies, and the words for the operation. */
export const operations: Readonly<
  Record<
    OperationName,
    {
      concerns: readonly DeliveryState[]
      /** The states that the dialog for several deliveries preselects. */
      first: readonly DeliveryState[]
      verb: string
      doing: string
      /** The participle, as in "cannot be retried". */
      passive: string
      /** The result. A retry only makes deliveries or tasks pending: they run later. */
      result: (what: string, count: number) => string
    }
  >
> = {
  retry: {
    concerns: ['dead', 'retrying', 'discarded', 'ignored', 'done'],
    first: ['dead', 'retrying'],
    verb: 'Retry',
    doing: 'Queueing',
    passive: 'retried',
    result: (what, count) => `${what} ${count === 1 ? 'is' : 'are'} pending, and will be retried`,
  },
  discard: {
    concerns: ['dead', 'retrying', 'pending', 'running'],
    first: ['dead', 'retrying', 'pending', 'running'],
    verb: 'Discard',
    doing: 'Discarding',
    passive: 'discarded',
    result: (what) => `Discarded ${what[0]?.toLowerCase()}${what.slice(1)}`,
  },
}

/** The label of a retry. It is not "Retry" for a done delivery, because this delivery has not failed. */
export function retryVerb(state: DeliveryState): string {
  return state === 'done' ? 'Run again' : 'Retry'
}

/** @returns Whether the retry was done. */
export async function retry({ id, state }: { id: number; state: DeliveryState }): Promise<boolean> {
  const text = 'All handlers of this delivery have succeeded. They will all run again, with their side effects.'
  const needsConfirmation = state === 'done'
  if (needsConfirmation && !(await confirmed({ title: `Run delivery ${id} again?`, text, act: 'Run again' })))
    return false
  return runOperation('retry', id, [state])
}

/** @returns Whether the delivery was discarded. */
export async function discard({ id }: { id: number }): Promise<boolean> {
  const reason = await askToDiscard(id)
  if (reason === undefined) return false
  // Allows every state that can be discarded, because the state may change while the dialog is open.
  return runOperation('discard', id, operations.discard.concerns, reason)
}

/**
 * Retries one handler of a delivery. The server rejects the request if the task has changed meanwhile.
 * @returns Whether the retry was done.
 */
export async function retryHandler(
  id: number,
  { handler, state }: Pick<TaskDetail, 'handler' | 'state'>,
): Promise<boolean> {
  const text = 'This handler has succeeded. It will run again, with its side effects. The other handlers will not.'
  if (state === 'done' && !(await confirmed({ title: `Run ${plain(handler, 80)} again?`, text, act: 'Run again' }))) {
    return false
  }
  return once(id, async () => {
    await post(`deliveries/${id}/retry`, { handler })
    showMessage(`Handler ${plain(handler, 80)} of delivery ${id} is pending, and will be retried`)
    return true
  })
}

/** The deliveries of running operations. */
const running = new Set<number>()

/**
 * Runs an operation, and ignores further requests for the same delivery while it runs. Changes the delivery only if it
 * is in one of `states`: otherwise a second click, or another operator's retry, would run its handlers twice.
 */
async function runOperation(
  act: OperationName,
  id: number,
  states: readonly DeliveryState[],
  reason = '',
): Promise<boolean> {
  return once(id, async () => {
    const count = await request(act, { ids: [id], states, ...(reason !== '' && { reason }) })
    if (count > 0) showMessage(operations[act].result(`Delivery ${id}`, 1))
    else await showNewState(id)
    return count > 0
  })
}

/** Runs an operation, unless another one on the same delivery is running. Shows its error. */
async function once(id: number, operation: () => Promise<boolean>): Promise<boolean> {
  if (running.has(id)) return false
  running.add(id)
  try {
    return await operation()
  } catch (error) {
    showError(error)
    return false
  } finally {
    running.delete(id)
  }
}

/** @throws {ApiError} if the delivery has been deleted. */
async function showNewState(id: number): Promise<void> {
  const { state } = await get<DeliveryDetail>(`deliveries/${id}`)
  showMessage(`Delivery ${id} was not changed, because its state is now ${state}`)
}

/** @returns How many deliveries were changed. */
async function request(
  act: OperationName,
  request: {
    ids: readonly number[]
    states: readonly DeliveryState[]
    search?: string | undefined
    operationId?: string
    reason?: string
  },
): Promise<number> {
  return (await post<{ count: number }>(`deliveries/${act}`, request)).count
}

/**
 * Joins the requests of an operation to one entry of the audit log. `crypto.randomUUID` does not exist in a page that was
 * loaded over http from another machine.
 */
const randomId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')

/** Deliveries per request. Small requests are fast, so the progress bar moves. */
const chunk = 100

export interface Outcome {
  /** How many deliveries the server has changed. */
  count: number
  /** How many deliveries the server has changed or skipped. */
  processed: number
  /** Whether the operation ended early. */
  isStopped: boolean
  /** The error that ended the operation early. */
  error?: Error
}

/**
 * Changes many deliveries, in batches, until all are done, a request fails, or `signal` aborts. Skips those that are no
 * longer in one of `states`.
 */
export async function runForAll(
  act: OperationName,
  candidates: Candidates,
  given: {
    states: readonly DeliveryState[]
    /** The search that found the candidates. `undefined`: the operator selected them. */
    search: string | undefined
    reason: string
    signal: AbortSignal
    onProgress: (through: number) => void
  },
): Promise<Outcome> {
  const { states, search, reason, signal, onProgress } = given
  const said = act === 'discard' && reason !== '' ? { reason } : {}
  const operationId = randomId()
  let [count, through] = [0, 0]
  try {
    for await (const ids of batchesOf(candidates, states, { size: chunk, signal })) {
      if (signal.aborted) return { count, processed: through, isStopped: true }
      count += await request(act, { ids, states, search, operationId, ...said })
      through += ids.length
      onProgress(through)
    }
    return { count, processed: through, isStopped: false }
  } catch (error) {
    return { count, processed: through, isStopped: true, ...(!signal.aborted && { error: error as Error }) }
  }
}

/**
 * The result in sentences.
 * @param all The number of deliveries; `undefined` if they were not all counted.
 */
export function resultText(act: OperationName, outcome: Outcome, all: number | undefined): string {
  const { count, processed, isStopped, error } = outcome
  const done = operations[act].result(deliveries(count), count)
  const skipped = processed - count
  const rest = all === undefined ? 'other deliveries' : deliveries(all - processed)
  return [
    done,
    ...(skipped > 0 ? [`Skipped ${deliveries(skipped)} whose state had changed`] : []),
    ...(isStopped
      ? [error ? `Failed with ${rest} remaining: ${error.message}` : `Stopped with ${rest} remaining`]
      : []),
  ].join('. ')
}
