import pg from 'pg'
import { type Contestant, median, startContestant } from '../process.ts'
import { table } from '../table.ts'
import { measure } from '../throughput.ts'
import { inTurns, ratioOf } from '../turns.ts'

/** Milliseconds that a commit takes on a database whose standby, on another machine, has to confirm it. */
const farCommit = 10

/**
 * Prints what two receivers answer beside one, each with 32 connections: as this machine can, on which database,
 * receivers and load share the cores; and where each waits for commits that take long, which leaves cores to spare.
 */
export async function reportReceivers(url: string, options: { rounds: number; seconds: number }): Promise<void> {
  console.log('\nTwo receivers beside one, 32 connections each')
  const name = 'hookserver/node, Postgres'
  const [one, other] = [await startContestant(name), await startContestant(name)]
  const rows = []
  for (const delay of [0, farCommit]) {
    await delayCommits(url, delay)
    const work = { one: () => answers([one], options.seconds), two: () => answers([one, other], options.seconds) }
    await inTurns(1, work) // to warm up
    const rates = await inTurns(options.rounds, work)
    const ratio = ratioOf(rates.two, rates.one).toFixed(2)
    rows.push([`${delay} ms more`, median(rates.one).toFixed(0), median(rates.two).toFixed(0), ratio])
  }
  await delayCommits(url, 0)
  await Promise.all([one.stop(), other.stop()])
  console.log(table(['a commit takes', 'one: req/s', 'two: req/s', '× one'], rows))
}

async function answers(receivers: readonly Contestant[], seconds: number): Promise<number> {
  const rounds = await Promise.all(receivers.map((receiver) => measure(receiver, seconds, 'a receiver')))
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
