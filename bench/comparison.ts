import { digits, table } from './table.ts'
import type { Throughput } from './throughput.ts'

/** Servers that are compared with a floor and with @octokit/webhooks. */
export interface Comparison {
  results: ReadonlyMap<string, Throughput>
  floor: Throughput | undefined
  octokit: Throughput | undefined
}

/** A table of rates, latencies, CPU and ratios. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const heads = ['req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', '× floor', 'CPU × floor', '× octokit', 'CPU × octokit']
  return table(['server', ...heads], comparisons.flatMap(rowsOf))
}

function rowsOf({ results, floor, octokit }: Comparison): string[][] {
  return [...results].map(([name, result]) => [
    name,
    ...[digits(result.of('rate'), 0), digits(result.of('p50'), 1), digits(result.of('p99'), 1)],
    digits(result.of('cpu'), 1),
    ...[floor, octokit].flatMap((other) => [digits(result.ratioTo(other), 2), digits(result.ratioTo(other, 'cpu'), 2)]),
  ])
}
