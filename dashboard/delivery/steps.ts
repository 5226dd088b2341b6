import type { DeliveryDetail, DeliveryState } from '../../src/server/api/schemas/responses.ts'
import { duration } from '../ui/units.ts'
import { replyTo } from './reply.ts'

/** Something that has happened to a delivery, or will happen. */
export interface Step {
  name: string
  at: number | undefined
  /**
   * Milliseconds since the step `since`. For an attempt, this is the previous attempt of the same handler, or else the
   * last step before the handlers. For another step, it is the previous step with a time.
   */
  after: number | undefined
  since: string | undefined
  says: string
  /** The outcome of an attempt, or `next` for the next attempt. */
  outcome?: DeliveryDetail['tasks'][number]['attempts'][number]['outcome'] | 'next'
  handler?: string
}

/** The steps of a delivery in their order. */
export function stepsOf(detail: DeliveryDetail): Step[] {
  const { receivedAt, storedAt, tasks, nextAttemptAt } = detail
  const attempts = tasks
    .flatMap(({ handler, attempts }) => attempts.map((attempt) => ({ handler, ...attempt })))
    .toSorted((a, b) => a.startedAt - b.startedAt)
  const steps: BareStep[] = [
    { name: 'received', at: receivedAt, says: '' },
    verified(detail),
    { name: 'stored', at: storedAt, says: 'written to disk' },
    ...replied(detail),
    ...attempts.map(({ handler, number, startedAt, outcome, duration: took }) => ({
      name: `attempt ${number}`,
      at: startedAt,
      says: took === undefined ? outcome : `${outcome}, took ${duration(took)}`,
      outcome,
      handler,
    })),
  ]
  if (nextAttemptAt !== undefined && goesOn(detail.state)) {
    steps.push({ name: 'next attempt', at: nextAttemptAt, says: '', outcome: 'next' })
  }
  return withIntervals(steps)
}

type BareStep = Omit<Step, 'after' | 'since'>

function withIntervals(steps: readonly BareStep[]): Step[] {
  /** The last step with a time, of each handler and of the receiver (`undefined`). */
  const last = new Map<string | undefined, BareStep>()
  return steps.map((step) => {
    const { at, handler } = step
    const previous = last.get(handler) ?? last.get(undefined)
    if (at !== undefined) last.set(handler, step)
    const after = at === undefined || previous?.at === undefined ? undefined : at - previous.at
    return { ...step, after, since: after === undefined ? undefined : previous?.name }
  })
}

function replied(detail: DeliveryDetail): BareStep[] {
  const { text, at } = replyTo(detail)
  return at === undefined ? [] : [{ name: 'replied', at, says: text }]
}

function verified({ algorithm, secretIndex, secretId, pulled }: DeliveryDetail): BareStep {
  if (algorithm === undefined) {
    const says = pulled ? 'fetched from GitHub’s API, without a signature' : 'no signature was checked'
    return { name: 'not verified', at: undefined, says }
  }
  const which = secretId !== undefined ? ` ${secretId}` : secretIndex === undefined ? '' : ` ${secretIndex + 1}`
  return { name: 'verified', at: undefined, says: `${algorithm}, secret${which}` }
}

const goesOn = (state: DeliveryState): boolean => ['pending', 'running', 'retrying'].includes(state)
