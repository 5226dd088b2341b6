import { createServer, type Server } from 'node:http'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import type { Bench } from '../delivery.ts'

/** A receiver with an inbox. @param options With `work`, handlers run too. */
export default ({ secret, path, target = '' }: Bench, options: { work: boolean }): Server => {
  const inbox = target.startsWith('postgres:') ? postgres(target) : sqlite(target)
  const hooks = new Hooks({ secret, path, validateIp: false, inbox, work: options.work })
  hooks.hook('push', () => 'ok')
  return createServer(hookserver(hooks))
}
