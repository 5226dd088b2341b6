import { setTimeout } from 'node:timers/promises'
import { type LargeAttempt, readAttempts, readEndings } from './inbox-contents.ts'
import { bulky, stuck, stuckAttempts } from './stuck-handlers.ts'
import { Supervisor } from './supervisor.ts'

export interface StuckReport {
  /** The attempts of the handler that never settles, and the duration of the longest one in milliseconds. */
  attempts: number
  longest: number
  /** Problems. Both lists are empty after a successful run. */
  lost: string[]
  wrong: string[]
}

export interface StuckOptions {
  seed: number
  served: boolean
  /** The number of large deliveries. */
  count?: number
  /** The size of each large delivery, in bytes. */
  size?: number
  /** The timeout of the handler that never settles, in milliseconds. */
  timeout?: number
}

/** The maximum milliseconds between the timeout of an attempt and its end. */
const tolerance = 5000

/** Milliseconds within which all large deliveries must have ended after the last one was sent. */
const drainTimeout = 90_000

/** Sends large deliveries to a handler that never settles, together with normal ones, and kills the process once. */
export async function runStuck(options: StuckOptions): Promise<StuckReport> {
  const { seed, served, count = 16, size = 15 * 2 ** 20, timeout = 2000 } = options
  const supervisor = new Supervisor(seed, { served, stuckTimeout: timeout }, { maxEnds: 0 })
  const report: StuckReport = { attempts: 0, longest: 0, lost: [], wrong: [] }
  try {
    await supervisor.probe()
    const sent: string[] = []
    while (sent.length < count)
      sent.push(await supervisor.send({ size, padding: 'x'.repeat(size), number: sent.length }))
    const isBegun = () => supervisor.journal.lines.some(({ handler }) => handler === stuck)
    const end = performance.now() + drainTimeout
    let isKilled = false
    while (readEndings(supervisor.file, sent).some(({ state }) => state !== 'dead')) {
      if (performance.now() > end) throw new Error('The large deliveries did not end')
      await supervisor.probe()
      if (!isKilled && isBegun()) await supervisor.kill()
      isKilled ||= isBegun()
      await setTimeout(100)
    }
    await supervisor.close()
    const { lost, wrong } = supervisor.judge(new Set(sent))
    const attempts = readAttempts(supervisor.file, sent).filter(hasRun)
    report.lost.push(...lost, ...unhandled(sent, attempts))
    report.wrong.push(...wrong, ...supervisor.ends, ...wrongAttempts(sent, attempts, timeout))
    const durations = attempts.filter(({ handler }) => handler === stuck).map(({ duration }) => duration ?? 0)
    return { ...report, attempts: durations.length, longest: Math.max(...durations) }
  } catch (error) {
    report.wrong.push((error as Error).message)
    return report
  } finally {
    await supervisor.clear()
  }
}

/**
 * Whether an attempt ran. After a kill has cut off the last attempt of a task, the task ends with a record of one more
 * attempt, which has not run. A worker releases a task that it gets too late, because its machine is busy.
 */
const hasRun = ({ outcome, error }: LargeAttempt): boolean =>
  outcome !== 'released' && !error?.includes('attempts are used up')

/** Large deliveries that the handler `bulky` has not handled. */
function* unhandled(sent: readonly string[], attempts: readonly LargeAttempt[]): Generator<string> {
  const handled = new Set(
    attempts.filter(({ handler, outcome }) => handler === bulky && outcome === 'succeeded').map(({ guid }) => guid),
  )
  for (const guid of sent) if (!handled.has(guid)) yield `${guid} was never handled by ${bulky}`
}

/** Each attempt of the handler `stuck` must end at its timeout, unless a kill cuts it off. */
function* wrongAttempts(
  sent: readonly string[],
  attempts: readonly LargeAttempt[],
  timeout: number,
): Generator<string> {
  const byGuid = Map.groupBy(
    attempts.filter(({ handler }) => handler === stuck),
    ({ guid }) => guid,
  )
  for (const guid of sent) {
    const made = byGuid.get(guid) ?? []
    if (made.length !== stuckAttempts) yield `${guid} had ${made.length} attempts of ${stuck}, not ${stuckAttempts}`
    for (const { outcome, duration, error } of made) {
      if (outcome === 'cut off') continue
      if (!error?.includes('did not finish within')) yield `${guid}: an attempt of ${stuck} is ${outcome}: ${error}`
      if ((duration ?? 0) > timeout + tolerance) yield `${guid}: an attempt of ${stuck} took ${duration} ms`
    }
  }
}
