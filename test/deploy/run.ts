/**
 * `npm run test:deploy -- [--minutes 10] [--seed 1] [--store sqlite|postgres]`: processes of two versions of a module
 * share an inbox, and are replaced by one another in random order while deliveries arrive. Workers must handle all
 * acknowledged deliveries, in order if they have the same order key. No task may end as gone, because each version
 * always has a process.
 */
import { parseArgs } from 'node:util'
import { type Report, runCampaign } from './campaign.ts'
import { type Kind, kinds } from './fleet.ts'
import type { StoreName } from './store.ts'

const stores: readonly StoreName[] = ['sqlite', 'postgres']
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    store: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  },
})
const seconds = Number(values.minutes) * 60
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const chosen = stores.filter((store) => values.store?.includes(store) ?? true)
if (values.help || !(seconds > 0) || !Number.isInteger(seed) || chosen.length !== (values.store?.length ?? 2)) {
  console.error('Usage: npm run test:deploy -- [--minutes 10] [--seed 1] [--store sqlite|postgres]...')
  process.exit(values.help ? 0 : 2)
}

console.log(`${values.minutes} minutes of replacements, seed ${seed}`)
for (const store of chosen) {
  const report = await runCampaign({ seed, store, seconds: seconds / chosen.length, onReplaced: showProgress })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  print(report)
  if (report.lost.length + report.wrong.length > 0) process.exitCode = 1
}

function showProgress({ store, replaced, acked }: Report): void {
  const count = Object.values(replaced).reduce((sum, one) => sum + one, 0)
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${store}: ${count} replacements, acked ${acked}`)
}

function print({ store, replaced, attempts, verdict, lost, wrong, ...figures }: Report): void {
  const rows: [string, number][] = [
    ...(Object.entries(replaced) as [Kind, number][]).map(([kind, count]): [string, number] => [kinds[kind], count]),
    ['requests sent', figures.sent],
    ['deliveries acknowledged', figures.acked],
    ['deliveries stored', verdict?.stored ?? 0],
    ['retries by an operator', figures.retried],
    ['outcomes of handlers that do not change', verdict?.handled ?? 0],
    ['attempts of changed handlers in version 1', attempts[1]],
    ['attempts of changed handlers in version 2', attempts[2]],
    ['attempts cut off', verdict?.expired ?? 0],
    ['lost', lost.length],
    ['other violations', wrong.length],
    ['seconds', Math.round(figures.seconds)],
  ]
  console.log(`\nWith ${store}:`)
  for (const [what, count] of rows) console.log(what.padEnd(58), count.toLocaleString('en').padStart(9))
  for (const text of [...lost, ...wrong].slice(0, 20)) console.error(text)
}
