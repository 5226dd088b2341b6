/** Retries and discards deliveries, and reports the result. */
import type { DeliveryDetail, DeliveryState } from '../../src/server/api/schemas/responses.ts'
import { get, post } from '../api/client.ts'
import { confirmed } from '../ui/confirm.tsx'
import { complain, say } from '../ui/toast.tsx'
import { deliveries } from '../ui/units.ts'

export type ActName = 'retry' | 'discard'

/** The states to which an operation applies, and its words. */
export const acts: Readonly<
  Record<
    ActName,
    {
      concerns: readonly DeliveryState[]
      first: readonly DeliveryState[]
      verb: string
      doing: string
      done: string
    }
  >
> = {
  retry: {
    concerns: ['dead', 'retrying', 'discarded', 'ignored', 'done'],
    first: ['dead', 'retrying'],
    verb: 'Retry',
    doing: 'Retrying',
    done: 'handled again',
  },
  discard: {
    concerns: ['dead', 'retrying', 'pending', 'running'],
    first: ['dead', 'retrying', 'pending', 'running'],
    verb: 'Discard',
    doing: 'Discarding',
    done: 'discarded',
  },
}

/** The name of a retry, by state. */
export function retryVerb(state: DeliveryState): string {
  if (state === 'done') return 'Run again'
  return state === 'ignored' || state === 'discarded' ? 'Re-arm' : 'Retry'
}

/** @returns Whether the retry was done. */
export async function retry({ id, state }: { id: number; state: DeliveryState }): Promise<boolean> {
  const text = 'Every handler has succeeded with it, and every one runs again: whatever they do, they do it once more.'
  const isAsked = state === 'done'
  if (isAsked && !(await confirmed({ title: `Run delivery ${id} again?`, text, act: 'Run again' }))) return false
  return carryOut('retry', id, [state])
}

/** @returns Whether the delivery was discarded. */
export async function discard({ id }: { id: number }): Promise<boolean> {
  const text = 'It is not handled any more, unless somebody re-arms it. What runs of it now runs on.'
  if (!(await confirmed({ title: `Discard delivery ${id}?`, text, act: 'Discard', danger: true }))) return false
  // Its state may change while the dialog is open.
  return carryOut('discard', id, acts.discard.concerns)
}

/** The deliveries of running operations. */
const underWay = new Set<number>()

/**
 * Runs an operation once, however often it is requested meanwhile. A delivery that has left `states` is not changed:
 * otherwise a second click, or another operator's retry, would run its handlers twice.
 */
async function carryOut(act: ActName, id: number, states: readonly DeliveryState[]): Promise<boolean> {
  if (underWay.has(id)) return false
  underWay.add(id)
  try {
    const count = await ask(act, { ids: [id], states })
    if (count > 0) say(`Delivery ${id} is ${acts[act].done}`)
    else await sayWhyNot(id)
    return count > 0
  } catch (error) {
    complain(error)
    return false
  } finally {
    underWay.delete(id)
  }
}

/** @throws {ApiError} if the delivery has been deleted. */
async function sayWhyNot(id: number): Promise<void> {
  const { state } = await get<DeliveryDetail>(`deliveries/${id}`)
  say(`Delivery ${id} had changed meanwhile, and stayed as it is: ${state}`)
}

/** @returns How many deliveries were changed. */
async function ask(
  act: ActName,
  asked: { ids: readonly number[]; states: readonly DeliveryState[]; reason?: string },
): Promise<number> {
  return (await post<{ count: number }>(`deliveries/${act}`, asked)).count
}

/** Deliveries per request. Small requests are fast, so the progress bar moves. */
const chunk = 100

/** How many deliveries were changed, of how many, and the error that ended the operation early. */
export interface Outcome {
  count: number
  through: number
  error?: Error
}

/**
 * Changes many deliveries, in batches, until all are done, a request fails, or `signal` aborts. Deliveries that have
 * left `states` are not changed.
 */
export async function carryOutAll(
  act: ActName,
  ids: readonly number[],
  given: {
    states: readonly DeliveryState[]
    reason: string
    signal: AbortSignal
    onProgress: (through: number) => void
  },
): Promise<Outcome> {
  const { states, reason, signal, onProgress } = given
  let [count, through] = [0, 0]
  while (through < ids.length && !signal.aborted) {
    const some = ids.slice(through, through + chunk)
    const said = act === 'discard' && reason !== '' ? { reason } : {}
    try {
      count += await ask(act, { ids: some, states, ...said })
    } catch (error) {
      return { count, through, error: error as Error }
    }
    through += some.length
    onProgress(through)
  }
  return { count, through }
}

/** The result as a sentence. */
export function outcomeOf(act: ActName, { count, through, error }: Outcome, all: number): string {
  const done = `${deliveries(count)} ${count === 1 ? 'is' : 'are'} ${acts[act].done}`
  const passed = through > count ? `; ${deliveries(through - count)} had changed meanwhile and stayed as they are` : ''
  const others = `the other ${deliveries(all - through)}`
  const rest = error ? `; then it failed, before ${others}: ${error.message}` : `; you stopped before ${others}`
  return done + passed + (through < all ? rest : '')
}
