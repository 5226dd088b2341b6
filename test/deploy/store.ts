import type { Store } from '../../src/inbox/inbox.ts'
import { postgres } from '../../src/postgres/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'

export type StoreName = 'sqlite' | 'postgres'

/** An inbox, as the campaign and the programs open it. */
export interface StoreSettings {
  store: StoreName
  /** The file (SQLite) or the URL (PostgreSQL). */
  target: string
}

/**
 * `heartbeat`: the tasks of a killed process are due again soon. `vanishAfter`: longer than a version has no worker, but
 * much shorter than the campaign. So a task ends `gone` if the inbox loses track of a handler that has a worker.
 */
const options = { heartbeat: 500, vanishAfter: '2s' } as const

export function openStore({ store, target }: StoreSettings): Store {
  return store === 'sqlite' ? sqlite(target, options) : postgres(target, options)
}
