/**
 * How many tests each file has, and how long they take, by the path below `test`. Estimates for the order of the files
 * and for the progress of a run. `UPDATE_DURATIONS=1 npm test` writes them again.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface FileEstimate {
  tests: number
  /** Milliseconds on two idle cores. */
  ms: number
}

const file = join(import.meta.dirname, 'durations.json')
const estimates: Readonly<Record<string, FileEstimate>> = JSON.parse(readFileSync(file, 'utf8'))

/** For a file that is not listed yet. */
const usual: FileEstimate = { tests: 10, ms: 1000 }

const keyOf = (path: string): string => relative(import.meta.dirname, path)

/** @param path Absolute. */
export const estimateOf = (path: string): FileEstimate => estimates[keyOf(path)] ?? usual

/** Replaces the estimates of these files. Those of other files stay. @param measured By absolute path. */
export function writeEstimates(measured: ReadonlyMap<string, FileEstimate>): void {
  const all = { ...estimates, ...Object.fromEntries([...measured].map(([path, one]) => [keyOf(path), one])) }
  const sorted = Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const lines = sorted.map(([path, one]) => `  ${JSON.stringify(path)}: { "tests": ${one.tests}, "ms": ${one.ms} }`)
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`)
}
