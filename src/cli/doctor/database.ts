import { existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../../server/config.ts'
import { openToLook } from '../../server/inbox.ts'
import { isFile } from '../../server/settings/database.ts'
import { checkContents } from './contents.ts'
import type { Finding } from './finding.ts'
import { checkPostgres } from './postgres/index.ts'

/** Bytes of a disk that is nearly full. */
const scarce = 2 ** 30

/** Whether deliveries could be stored, and what those that came say about the settings. */
export function checkDatabase(config: Config): AsyncGenerator<Finding> {
  return isFile(config.database.value) ? checkFile(config) : checkPostgres(config)
}

async function* checkFile(config: Config): AsyncGenerator<Finding> {
  const what = 'database'
  const path = resolve(config.database.value)
  const isNew = !existsSync(path)
  if (isNew && !existsSync(dirname(path))) {
    yield { what, state: 'fine', found: `${path} and its folder will be made` }
    return
  }
  if (isNew) yield { what, state: 'fine', found: `${path} will be made` }
  else yield* checkContents(openToLook(config), path)
  const { bavail, bsize } = statfsSync(dirname(path))
  if (bavail * bsize > scarce) return
  const found = `${Math.round((bavail * bsize) / 2 ** 20)} MiB are left on its disk`
  yield { what, state: 'doubtful', found, cure: 'make room, or bound the file with --max-size' }
}
