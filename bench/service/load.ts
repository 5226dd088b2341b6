import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bench } from '../delivery.ts'
import { median } from '../statistics.ts'

const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js')

/** The time from the start of a request to the end of its answer, in milliseconds. */
export interface Latency {
  p50: number
  p99: number
  max: number
}

/** Measures the latency of normal senders: `hookserver send` sends the push at a steady rate, from another process. */
export async function normalLoad(url: string, { rate, seconds }: { rate: number; seconds: number }): Promise<Latency> {
  const { PATH = '' } = process.env
  const load = ['--rate', String(rate), '--count', String(rate * seconds), '--json']
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'send', 'push', '--to', url, ...load], {
    env: { PATH, GITHUB_WEBHOOKS_KEY: bench.secret },
  })
  const { latency, ...sent } = JSON.parse(stdout) as { latency: Latency; rate: number }
  if (sent.rate < 0.95 * rate) throw new Error(`Only ${sent.rate.toFixed(0)} of ${rate} a second could be sent`)
  return latency
}

/** The medians of several loads. */
export function mediansOf(latencies: readonly Latency[]): Latency {
  const of = (field: keyof Latency) => median(latencies.map((latency) => latency[field]))
  return { p50: of('p50'), p99: of('p99'), max: of('max') }
}

export const shownLatency = ({ p50, p99, max }: Latency): string[] => [p50.toFixed(2), p99.toFixed(1), max.toFixed(1)]
