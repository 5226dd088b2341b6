import { readFileSync } from 'node:fs'
import type { Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer } from './schemas.ts'

/** How the inbox and this process stand. */
export function stats({ inbox, role }: Operated): Route {
  return {
    method: 'get',
    path: '/stats',
    operation: {
      operationId: 'getStats',
      summary: 'How the inbox stands, and the process that answers',
      responses: { 200: answer('Stats') },
    },
    async answer(context) {
      const tally = await inbox.tally()
      const { rss, heapUsed } = process.memoryUsage()
      const uptime = Math.round(process.uptime() * 1000)
      return context.json({ ...tally, process: { version: version(), role, uptime, memory: { rss, heapUsed } } })
    },
  }
}

let read: string | undefined

/** Of this package. */
export function version(): string {
  read ??= JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version as string
  return read
}
