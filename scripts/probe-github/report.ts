import diff from 'microdiff'
import * as v from 'valibot'
import { escapeUnsafeInLines } from '../../src/runtime/untrusted-text.ts'
import { type Report, reportFormat, type StepResult } from './run-probe.ts'
import type { Facts } from './step.ts'

/** The part of an earlier report that is compared. */
const earlierReport = v.object({
  format: v.literal(reportFormat),
  startedAt: v.string(),
  api: v.string(),
  results: v.array(
    v.object({ name: v.string(), outcome: v.string(), facts: v.optional(v.record(v.string(), v.unknown())) }),
  ),
})

export type EarlierReport = v.InferOutput<typeof earlierReport>

/** Reads a report that was printed with `--json`. @throws {Error} for any other text. */
export function parseReport(text: string): EarlierReport {
  try {
    return v.parse(earlierReport, JSON.parse(text))
  } catch {
    throw new Error('it is not a report that npm run probe:github -- --json printed with this version')
  }
}

export interface Difference {
  /** The name of the step. */
  step: string
  /** The fact, such as `cost.conditional`. */
  fact: string
  /** JSON; `none` if the report does not have the fact. */
  before: string
  after: string
}

export interface Comparison {
  /** In the order of the steps. */
  differences: Difference[]
  /** The steps that one of the reports has no answer for. */
  notCompared: string[]
}

/** Compares the facts of the steps that both reports have an answer for. */
export function compare(before: EarlierReport, after: Report): Comparison {
  const earlier = new Map(before.results.map(({ name, facts }) => [name, facts]))
  const comparison: Comparison = { differences: [], notCompared: [] }
  for (const result of after.results) {
    const [old, now] = [earlier.get(result.name), factsOf(result)]
    if (old && now) comparison.differences.push(...differencesOf(result.name, old, now))
    else comparison.notCompared.push(result.name)
  }
  return comparison
}

function differencesOf(step: string, before: Record<string, unknown>, after: Facts): Difference[] {
  return diff(before, after).map(({ path, ...change }) => ({
    ...{ step, fact: path.join('.') },
    before: 'oldValue' in change ? JSON.stringify(change.oldValue) : 'none',
    after: 'value' in change ? JSON.stringify(change.value) : 'none',
  }))
}

const factsOf = (result: StepResult): Facts | undefined => (result.outcome === 'answered' ? result.facts : undefined)

/** The report for a terminal, which the texts from GitHub must not control. */
export function describeReport({ api, enterpriseVersion, startedAt, results, leftBehind }: Report): string {
  const version = enterpriseVersion === null ? '' : `, ${enterpriseVersion}`
  const blocks = results.map((result) => `${result.name}: ${result.question}\n${describeResult(result)}`)
  const left = leftBehind.map((message) => `Not deleted: ${message}`)
  return escapeUnsafeInLines([`${api}${version}, ${startedAt}`, ...blocks, ...left].join('\n\n'))
}

function describeResult(result: StepResult): string {
  if (result.outcome !== 'answered') return `  ${result.outcome}: ${result.reason}`
  const { facts, measured = {} } = result
  return table([
    ...leavesOf(facts).map(([name, value]) => ['', name, value] as const),
    ...leavesOf(measured).map(([name, value]) => ['measured', name, value] as const),
  ])
}

/** The names and values of all facts. A nested fact has a name such as `cost.conditional`. */
function leavesOf(facts: Facts, prefix = ''): [name: string, value: string][] {
  return Object.entries(facts).flatMap(([name, value]): [string, string][] => {
    const path = prefix + name
    if (typeof value === 'string') return [[path, value]]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value)]]
    return leavesOf(value as Facts, `${path}.`)
  })
}

function table(rows: readonly (readonly [kind: string, name: string, value: string])[]): string {
  const width = Math.max(0, ...rows.map(([kind, name]) => `${kind} ${name}`.trim().length))
  return rows.map(([kind, name, value]) => `  ${`${kind} ${name}`.trim().padEnd(width)}  ${value}`).join('\n')
}

export function describeComparison({ api, startedAt }: EarlierReport, comparison: Comparison): string {
  const { differences, notCompared } = comparison
  const rows = differences.map(({ step, fact, before, after }) => `  ${step} ${fact}: ${before} -> ${after}`)
  const left = notCompared.length > 0 ? [`Not compared, because a report has no answer: ${notCompared.join(', ')}`] : []
  const heading = `Differences from the report of ${api}, ${startedAt}: ${differences.length}`
  return escapeUnsafeInLines([heading, ...rows, ...left].join('\n'))
}
