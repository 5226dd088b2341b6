import type { DeliveryDetail, DeliveryState } from '../../src/server/api/schemas/responses.ts'
import { duration } from '../ui/units.ts'
import { replyTo } from './reply.ts'

/** Something that has happened to a delivery, or will happen. */
export interface Step {
  name: string
  at: number | undefined
  /** Milliseconds since the previous step with a time. */
  after: number | undefined
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
  const steps: Omit<Step, 'after'>[] = [
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
  let last: number | undefined
  return steps.map((step) => {
    const after = step.at === undefined || last === undefined ? undefined : step.at - last
    last = step.at ?? last
    return { ...step, after }
  })
}

function replied(detail: DeliveryDetail): Omit<Step, 'after'>[] {
  const { text, at } = replyTo(detail)
  return at === undefined ? [] : [{ name: 'replied', at, says: text }]
}

function verified({ algorithm, secretIndex, secretId, pulled }: DeliveryDetail): Omit<Step, 'after'> {
  if (algorithm === undefined) {
    const says = pulled ? 'fetched from GitHub’s API, without a signature' : 'no signature was checked'
    return { name: 'not verified', at: undefined, says }
  }
  const which = secretId !== undefined ? ` ${secretId}` : secretIndex === undefined ? '' : ` ${secretIndex + 1}`
  return { name: 'verified', at: undefined, says: `${algorithm}, secret${which}` }
}

const goesOn = (state: DeliveryState): boolean => ['pending', 'running', 'retrying'].includes(state)
