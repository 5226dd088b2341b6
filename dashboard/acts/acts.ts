/** What can be done to deliveries. Each says what came of it. */
import type { DeliveryDetail, DeliveryState } from '../../src/server/api/schemas/responses.ts'
import { get, post } from '../api/client.ts'
import { confirmed } from '../ui/confirm.tsx'
import { complain, say } from '../ui/toast.tsx'
import { deliveries } from '../ui/units.ts'

export type ActName = 'retry' | 'discard'

/** To which deliveries it can be done, and how it is told of. */
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

/** What a retry of one in this state is called. */
export function retryVerb(state: DeliveryState): string {
  if (state === 'done') return 'Run again'
  return state === 'ignored' || state === 'discarded' ? 'Re-arm' : 'Retry'
}

/** @returns Whether it was done. */
export async function retry({ id, state }: { id: number; state: DeliveryState }): Promise<boolean> {
  const text = 'Every handler has succeeded with it, and every one runs again: whatever they do, they do it once more.'
  const isAsked = state === 'done'
  if (isAsked && !(await confirmed({ title: `Run delivery ${id} again?`, text, act: 'Run again' }))) return false
  return carryOut('retry', id, [state])
}

/** @returns Whether it was done. */
export async function discard({ id }: { id: number }): Promise<boolean> {
  const text = 'It is not handled any more, unless somebody re-arms it. What runs of it now runs on.'
  if (!(await confirmed({ title: `Discard delivery ${id}?`, text, act: 'Discard', danger: true }))) return false
  // It may begin to wait, or be taken up again, while one is asked.
  return carryOut('discard', id, acts.discard.concerns)
}

/** Those to which something is being done. */
const underWay = new Set<number>()

/**
 * Does it once, however often it is asked for meanwhile. One that is in another state by then than in one of `states` is
 * left alone: what somebody else retried, or a first click, would run twice.
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

/** @throws {ApiError} if it is not there any more. */
async function sayWhyNot(id: number): Promise<void> {
  const { state } = await get<DeliveryDetail>(`deliveries/${id}`)
  say(`Delivery ${id} had changed meanwhile, and stayed as it is: ${state}`)
}

/** @returns How many it was done to. */
async function ask(
  act: ActName,
  asked: { ids: readonly number[]; states: readonly DeliveryState[]; reason?: string },
): Promise<number> {
  return (await post<{ count: number }>(`deliveries/${act}`, asked)).count
}

/** Deliveries in one request: so many that each takes a moment, and the progress is seen. */
const chunk = 100

/** How many it was done to, how many it came to, and what ended it before the others. */
export interface Outcome {
  count: number
  through: number
  error?: Error
}

/**
 * Does it to many, some at a time, until all are done, one request fails, or `signal` says that it is enough. What is in
 * another state by then than in one of `states` is left alone.
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

/** What came of it, in a sentence. */
export function outcomeOf(act: ActName, { count, through, error }: Outcome, all: number): string {
  const done = `${deliveries(count)} ${count === 1 ? 'is' : 'are'} ${acts[act].done}`
  const passed = through > count ? `; ${deliveries(through - count)} had changed meanwhile and stayed as they are` : ''
  const others = `the other ${deliveries(all - through)}`
  const rest = error ? `; then it failed, before ${others}: ${error.message}` : `; you stopped before ${others}`
  return done + passed + (through < all ? rest : '')
}
