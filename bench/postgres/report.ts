import { startPostgres } from '../../test/postgres/server.ts'
import { reportAcks } from '../acks.ts'
import { reportHandling, reportMemory } from '../inbox/report.ts'
import { reportFilled } from './filled.ts'
import { reportReceivers } from './receivers.ts'
import { reportStoring } from './storing.ts'
import { reportTurnover } from './turnover.ts'

export interface PostgresReport {
  rounds: number
  seconds: number
  /** Deliveries that are there beforehand. */
  rows: number
  /** Deliveries that go through. */
  through: number
}

/** Prints the costs of the PostgreSQL inbox, on a server of its own with the default commit settings. */
export async function reportPostgres({ rows, through, ...options }: PostgresReport): Promise<void> {
  const server = await startPostgres('shared_buffers=1GB', 'max_wal_size=4GB')
  try {
    process.env.HOOKSERVER_BENCH_POSTGRES = await server.create('answers')
    console.log('\nStored in PostgreSQL, row and job, before the answer: the same push over 32 connections')
    await reportAcks(['hookserver/node, Postgres', 'hookserver/node, Postgres, handling too'], options)
    await reportStoring(await server.create('storing'), options)
    await reportReceivers(await server.create('receivers'), options)
    await reportHandling('Postgres', async () => [await server.create(`handling_${crypto.randomUUID().slice(0, 8)}`)])
    await reportMemory([await server.create('memory')])
    await reportTurnover(await server.create('turnover'), through)
    await reportFilled(await server.create('filled'), rows, options)
  } finally {
    await server.stop()
  }
}
