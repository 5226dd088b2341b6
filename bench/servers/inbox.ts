import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/node'
import { sqlite } from 'hookserver/sqlite'
import type { Bench } from '../delivery.ts'
import '../unique-guids.ts'

/**
 * A receiver with an inbox on SQLite.
 * @param file Of an inbox that is there already. Default: a new one, which goes with the process.
 */
export default ({ secret, path }: Bench, options: { work: boolean; file?: string | undefined }): Server => {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const inbox = sqlite(options.file ?? join(folder, 'inbox.db'))
  const hooks = new Hooks({ secret, url: path, validateIp: false, inbox, work: options.work })
  hooks.hook('push', () => 'ok')
  return createServer(hookserver(hooks))
}
