import type { Inbox } from '../inbox/inbox.ts'
import { type SqliteOptions, sqlite } from '../sqlite/index.ts'
import type { Config } from './config.ts'

/** Whether that is the path of a file, and not the address of a database server. */
export const isFile = (database: string): boolean => !/^postgres(ql)?:/.test(database)

/** Opens what `--database` names. @throws {Error} naming the cure. */
export function openInbox({ database, retention, maxSize }: Config): Inbox {
  return open(database, { retention: retention.value, maxSize: maxSize.value })
}

/** The same for whoever only looks: what is kept for how long is up to the server, and nothing is given up or deleted. */
export function openToLook({ database }: Pick<Config, 'database'>): Inbox {
  return open(database, { retention: Number.MAX_SAFE_INTEGER, vanishAfter: Number.MAX_SAFE_INTEGER })
}

function open(database: Config['database'], options: SqliteOptions): Inbox {
  if (!isFile(database.value)) {
    throw new Error(`${database.source}: this version keeps deliveries in a file alone: name one with --database`)
  }
  return sqlite(database.value, options)
}
