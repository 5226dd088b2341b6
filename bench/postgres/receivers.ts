import pg from 'pg'
import { type Contestant, startContestant } from '../process.ts'
import { inTurns, median, ratioOf } from '../statistics.ts'
import { table } from '../table.ts'
import { measure, type Rounds } from '../throughput.ts'

/**
 * Milliseconds that `commit_delay` adds to each commit, to simulate a standby on another machine that confirms the
 * commit.
 */
const standbyDelay = 10

/**
 * Compares the rate of two receivers with that of one, each with 32 connections. With ordinary commits, the database,
 * the receivers and the load generator compete for the cores. With slow commits, the receivers wait, and the cores are
 * idle most of the time.
 */
export async function reportReceivers(url: string, options: Rounds): Promise<void> {
  console.log('\nTwo receivers compared with one, 32 connections each')
  const name = 'hookserver/node, PostgreSQL'
  const one = await startContestant(name, { target: url })
  const other = await startContestant(name, { target: url })
  const rows = []
  for (const delay of [0, standbyDelay]) {
    await delayCommits(url, delay)
    const work = { one: () => answers([one], options.seconds), two: () => answers([one, other], options.seconds) }
    await inTurns(1, work) // to warm up
    const rates = await inTurns(options.rounds, work)
    const ratio = ratioOf(rates.two, rates.one).toFixed(2)
    rows.push([`${delay} ms more`, median(rates.one).toFixed(0), median(rates.two).toFixed(0), ratio])
  }
  await delayCommits(url, 0)
  await Promise.all([one.stop(), other.stop()])
  console.log(table(['commit time', 'one: req/s', 'two: req/s', '× one'], rows))
}

async function answers(receivers: readonly Contestant[], seconds: number): Promise<number> {
  const rounds = await Promise.all(receivers.map((receiver) => measure(receiver, { name: 'a receiver', seconds })))
  return rounds.reduce((sum, { rate }) => sum + rate, 0)
}

async function delayCommits(url: string, milliseconds: number): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('alter system set commit_siblings = 0')
  await client.query(`alter system set commit_delay = ${milliseconds * 1000}`)
  await client.query('select pg_reload_conf()')
  await client.end()
}
