import type { Probe } from './probe.ts'
import { type Answer, NotAsked, type Step } from './step.ts'

/** The format of the reports. It changes when an older report can no longer be compared. */
export const reportFormat = 1

/** The answer to a question, or why there is none. */
type Outcome = ({ outcome: 'answered' } & Answer) | { outcome: 'not asked' | 'failed'; reason: string }

export type StepResult = { name: string; question: string } & Outcome

const interrupted: Outcome = { outcome: 'not asked', reason: 'interrupted' }

export interface Report {
  format: typeof reportFormat
  /** When the probe began, in ISO 8601. */
  startedAt: string
  api: string
  /** The version of an Enterprise Server, or `null`. */
  enterpriseVersion: string | null
  results: readonly StepResult[]
  /** Why the probe could not delete all that it created. Empty if it could. */
  leftBehind: readonly string[]
}

/**
 * Asks one question after another, and deletes what each of them created. A step that fails ends only itself. When the
 * signal of the probe aborts, the remaining questions are not asked.
 */
export async function runProbe(probe: Probe, steps: readonly Step[]): Promise<Report> {
  const startedAt = new Date().toISOString()
  const results: StepResult[] = []
  for (const [index, step] of steps.entries()) {
    const { name, question, ask } = step
    if (probe.signal.aborted) {
      results.push({ name, question, ...interrupted })
      continue
    }
    probe.progress(`[${index + 1}/${steps.length}] ${name}: ${question}`)
    results.push({ name, question, ...(await outcomeOf(() => ask(probe), probe.signal)) })
    await cleanUp([() => probe.webhooks.removeCreated(), () => probe.branches.removeCreated()])
  }
  const leftBehind = await cleanUp([() => probe.webhooks.removeLeftovers(), () => probe.branches.removeLeftovers()])
  return {
    ...{ format: reportFormat, startedAt, api: probe.apiUrl, enterpriseVersion: probe.enterpriseVersion ?? null },
    results: probe.redactor.value(results),
    leftBehind: probe.redactor.value(leftBehind),
  }
}

async function outcomeOf(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Outcome> {
  try {
    return { outcome: 'answered', ...(await ask()) }
  } catch (error) {
    if (signal.aborted) return interrupted
    return { outcome: error instanceof NotAsked ? 'not asked' : 'failed', reason: (error as Error).message }
  }
}

/** Runs all removals. @returns The messages of those that failed. */
async function cleanUp(removals: readonly (() => Promise<unknown>)[]): Promise<string[]> {
  const failures: string[] = []
  for (const remove of removals) {
    try {
      await remove()
    } catch (error) {
      failures.push((error as Error).message)
    }
  }
  return failures
}
