import { setTimeout as delay } from 'node:timers/promises'
import { maxTimer } from '../../runtime/timer.ts'
import { invalidValue } from '../flags.ts'
import type { Outcome, Outgoing } from './sender.ts'
import type { Summary } from './summary.ts'

export interface Load {
  /** Requests at once. */
  concurrency: number
  /** Requests to start per second; `undefined` for no limit. */
  rate: number | undefined
}

/** Requests a second; a fraction for less than one. @throws {UsageError} */
export function parseRate(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number >= 0.001 && number <= 100_000) return number
  throw invalidValue('--rate', 'a number from 0.001 to 100000, in requests a second', text)
}

/** Later starts than this are not made up for, so that a slow server is not followed by a burst. */
const maxLagMs = 100

/** When the request after the one that was due at `due` is due: evenly spaced, whatever the timers' delays are. */
export const nextDue = (due: number, rate: number, now: number): number => Math.max(due + 1000 / rate, now - maxLagMs)

/** Sends all requests until `stop`, or until connections are refused before there was any answer. */
export async function sendAll(
  requests: Iterable<Outgoing>,
  send: (request: Outgoing) => Promise<Outcome>,
  { concurrency, rate }: Load,
  summary: Summary,
  stop: AbortSignal,
): Promise<void> {
  const left = requests[Symbol.iterator]()
  const hopeless = new AbortController()
  const over = AbortSignal.any([stop, hopeless.signal])
  let due = performance.now()
  const sendInTurn = async () => {
    while (!over.aborted) {
      const { done, value: request } = left.next()
      if (done) return
      if (rate !== undefined) {
        const turn = due
        due = nextDue(due, rate, performance.now())
        await waitUntil(turn, over)
        if (over.aborted) return
      }
      summary.started(performance.now())
      const outcome = await send(request)
      if (stop.aborted && 'failure' in outcome) return // it was aborted, which says nothing about the server
      summary.ended(performance.now(), outcome)
      if (summary.answered === 0 && 'failure' in outcome && outcome.refused) hopeless.abort()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, sendInTurn))
}

async function waitUntil(time: number, signal: AbortSignal): Promise<void> {
  for (let left = time - performance.now(); left > 0 && !signal.aborted; left = time - performance.now()) {
    await delay(Math.min(left, maxTimer), undefined, { signal }).catch(() => undefined)
  }
}
