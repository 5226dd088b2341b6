import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { postgres } from 'hookserver/postgres'
import { sqlite } from 'hookserver/sqlite'
import type { Bench } from '../delivery.ts'
import '../unique-guids.ts'

interface Options {
  work: boolean
  file?: string | undefined
  database?: string | undefined
  schema?: string
}

/**
 * A receiver with an inbox.
 * @param file Of an inbox on SQLite that is there already. Default: a new one, which goes with the process.
 * @param database Of an inbox in PostgreSQL, instead; those that handle have another `schema` than those that do not.
 */
export default ({ secret, path }: Bench, options: Options): Server => {
  const inbox = options.database
    ? postgres(options.database, { schema: options.schema })
    : sqlite(options.file ?? newFile())
  const hooks = new Hooks({ secret, url: path, validateIp: false, inbox, work: options.work })
  hooks.hook('push', () => 'ok')
  return createServer(hookserver(hooks))
}

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'inbox.db')
}
