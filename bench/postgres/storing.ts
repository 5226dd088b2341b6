import { postgres } from 'hookserver/postgres'
import { inTurns, median, ratioOf } from '../statistics.ts'
import { table } from '../table.ts'
import { Bare } from './bare.ts'
import { newDelivery, storedPerSecond } from './new-delivery.ts'

/** Prints how many deliveries a second the inbox stores, compared with a bare INSERT of the same rows. */
export async function reportStoring(url: string, { rounds, seconds }: { rounds: number; seconds: number }) {
  console.log('\nDeliveries stored by the inbox, 64 at a time, compared with a bare INSERT of the same rows')
  const [inbox, bare] = [postgres(url, { schema: 'storing' }), new Bare(url)]
  await Promise.all([inbox.store(newDelivery()), bare.prepare()])
  const work = {
    bare: () => storedPerSecond(() => bare.store(), seconds),
    beforehand: () => storedPerSecond(() => bare.insert(), seconds),
    inbox: () => storedPerSecond(() => inbox.store(newDelivery()), seconds),
  }
  await inTurns(1, work) // to warm up
  const rates = await inTurns(rounds, work)
  await Promise.all([inbox.close(), bare.close()])
  const line = (name: string, own: readonly number[]) => {
    return [
      name,
      median(own).toFixed(0),
      ratioOf(own, rates.bare).toFixed(2),
      ratioOf(own, rates.beforehand).toFixed(2),
    ]
  }
  const rows = [
    line('a bare INSERT', rates.bare),
    line('a bare INSERT of prepared rows', rates.beforehand),
    line('the inbox', rates.inbox),
  ]
  console.log(table(['stored by', 'deliveries/s', '× bare', '× prepared'], rows))
}
