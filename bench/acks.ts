import type { Name } from './contestants.ts'
import { table } from './table.ts'
import { latencies, throughput } from './throughput.ts'

const octokit = '@octokit/webhooks'
const library = 'hookserver/node, SQLite'

/**
 * Prints rates of answers and their latencies, at full load and at half of it, beside a rival that stores nothing and
 * the library in an application.
 */
export async function reportAcks(others: readonly Name[], options: { rounds: number; seconds: number }): Promise<void> {
  const rates = await throughput([octokit, library, ...others], options)
  const [rival, inApplication] = [rates.get(octokit), rates.get(library)]
  const rows: string[][] = []
  for (const [name, { rate, p50, p99, cpu, ratioTo }] of rates) {
    const half = await latencies(name, rate / 2, options.seconds * 3)
    rows.push([
      name,
      ...[rate.toFixed(0), p50.toFixed(1), p99.toFixed(1), half.p50.toFixed(1), half.p99.toFixed(1), cpu.toFixed(1)],
      rival ? ratioTo(rival).toFixed(2) : '',
      inApplication ? ratioTo(inApplication).toFixed(2) : '',
    ])
  }
  const titles = ['req/s', 'p50 ms', 'p99 ms', 'half: p50', 'half: p99', 'CPU µs/req', '× octokit', '× library']
  console.log(table(['server', ...titles], rows))
}
