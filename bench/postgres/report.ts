import { reportMemory } from '../inbox/report.ts'
import type { Rounds } from '../throughput.ts'
import { reportFilled } from './filled.ts'
import { reportReceivers } from './receivers.ts'
import { createPostgresDatabase } from './server.ts'
import { reportStoring } from './storing.ts'
import { reportTurnover } from './turnover.ts'

export interface PostgresReport extends Rounds {
  /** Deliveries that the filled inbox contains. */
  rows: number
  /** Deliveries that are received, handled and pruned. */
  through: number
}

/** Prints the costs of the PostgreSQL inbox. */
export async function reportPostgres({ rows, through, ...options }: PostgresReport): Promise<void> {
  const newDatabase = async () => (await createPostgresDatabase()).target
  await reportStoring(await newDatabase(), options)
  await reportReceivers(await newDatabase(), options)
  await reportMemory([await newDatabase()])
  await reportTurnover(await newDatabase(), through)
  await reportFilled(await newDatabase(), rows, options)
}
