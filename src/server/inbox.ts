import type { Inbox } from '../inbox/inbox.ts'
import { sqlite } from '../sqlite/index.ts'
import type { Config } from './config.ts'

/** Opens what `--database` names. @throws {Error} naming the cure. */
export function openInbox({ database, retention, maxSize }: Pick<Config, 'database' | 'retention' | 'maxSize'>): Inbox {
  if (/^postgres(ql)?:/.test(database.value)) {
    throw new Error(`${database.source}: this version keeps deliveries in a file alone: name one with --database`)
  }
  return sqlite(database.value, { retention: retention.value, maxSize: maxSize.value })
}
