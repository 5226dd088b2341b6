import { type Name, unstored } from './contestants.ts'
import { importTimes } from './import-time.ts'
import { peaksOfLargeDeliveries } from './large-deliveries.ts'
import { table } from './table.ts'
import { throughput } from './throughput.ts'

/** Prints the cost of receiving a delivery without storing it, next to rivals and the bare server. */
export async function reportReceiving(options: { rounds: number; seconds: number; only?: string[] }): Promise<void> {
  const { rounds, seconds, only } = options
  await reportRates(
    unstored.filter((name) => !only || only.includes(name)),
    { rounds, seconds },
  )
  if (only) return
  await reportMemory()
  await reportImports()
}

async function reportRates(names: Name[], options: { rounds: number; seconds: number }): Promise<void> {
  console.log(
    `Verify, dispatch, reply: a push of 6.9 kB over 32 connections, medians of ${options.rounds} rounds of ${options.seconds} s`,
  )
  const rates = await throughput(names, options)
  const [floor, octokit] = [rates.get('floor'), rates.get('@octokit/webhooks')]
  const rows = [...rates].map(([name, { rate, p50, p99, cpu, ratioTo }]) => [
    name,
    ...[rate.toFixed(0), p50.toFixed(1), p99.toFixed(1), cpu.toFixed(1)],
    floor ? ratioTo(floor).toFixed(2) : '',
    octokit ? ratioTo(octokit).toFixed(2) : '',
  ])
  console.log(table(['server', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', '× floor', '× octokit'], rows))
}

async function reportMemory(): Promise<void> {
  console.log('\nEight concurrent deliveries of 25 MB: the most memory that the process held')
  const peaks = await peaksOfLargeDeliveries(['hookserver/node', '@octokit/webhooks'])
  const most = peaks.get('@octokit/webhooks') as number
  const rows = [...peaks].map(([name, peak]) => [name, (peak / 2 ** 20).toFixed(0), (peak / most).toFixed(2)])
  console.log(table(['server', 'peak MiB', '× octokit'], rows))
}

async function reportImports(): Promise<void> {
  console.log('\nImport in a fresh process, median of 15, a process that imports nothing taken off')
  const times = await importTimes()
  const slowest = times.get('@octokit/webhooks') as number
  const rows = [...times].map(([name, ms]) => [name, ms.toFixed(1), (ms / slowest).toFixed(2)])
  console.log(table(['module', 'ms', '× octokit'], rows))
}
