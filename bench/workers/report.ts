import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import { createDatabase } from '../databases.ts'
import { inTurns, median, ratioOf } from '../statistics.ts'
import { table } from '../table.ts'
import { handledPerSecond, type Load } from './measure.ts'

const rounds = 2
const counts = { one: 1, two: 2, four: 4 }

/** Prints how fast one, two and four worker processes handle a backlog, with and without order, on both stores. */
export async function reportWorkers(deliveries: number): Promise<void> {
  console.log(
    `\nA backlog of ${deliveries.toLocaleString('en')}, handlers that wait for 5 ms: deliveries handled a second`,
  )
  const rows: string[][] = []
  for (const store of ['SQLite', 'PostgreSQL'] as const) {
    for (const ordered of [false, true]) {
      const measure = async (workers: number) => {
        const database = await createDatabase(store)
        try {
          return await handled({ store, target: database.target, workers, ordered, deliveries })
        } finally {
          await database.remove()
        }
      }
      const rates = await inTurns(rounds, {
        one: () => measure(counts.one),
        two: () => measure(counts.two),
        four: () => measure(counts.four),
      })
      rows.push([
        `${store}, ${ordered ? "order: 'repository'" : 'no order'}`,
        ...[rates.one, rates.two, rates.four].map((own) => median(own).toFixed(0)),
        ...[rates.two, rates.four].map((own) => ratioOf(own, rates.one).toFixed(2)),
      ])
    }
  }
  console.log(table(['store', '1 worker', '2 workers', '4 workers', '2 ÷ 1 workers', '4 ÷ 1 workers'], rows))
}

async function handled(load: Load): Promise<number> {
  const inbox = load.store === 'SQLite' ? sqlite(load.target) : postgres(load.target)
  try {
    return await handledPerSecond(inbox, load)
  } finally {
    await inbox.close()
  }
}
