/** A worker process. Its handler waits for 5 ms, as if it called another service. The process ends with its parent. */
import { setTimeout } from 'node:timers/promises'
import { Hooks } from 'hookserver'
import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import type { Load } from './measure.ts'

const { store, target, ordered } = JSON.parse(process.argv[2] as string) as Load
const inbox = store === 'PostgreSQL' ? postgres(target) : sqlite(target)
const hooks = new Hooks({ inbox, work: false, secret: 'unused', validateIp: false })
hooks.on('push', { name: 'io', order: ordered ? 'repository' : undefined }, () => setTimeout(5))

process.on('disconnect', () => process.exit())
process.on('message', (message) => {
  if (message === 'work') hooks.work()
  else void hooks.close().then(() => process.exit())
})
process.send?.('loaded')
