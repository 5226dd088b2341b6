import { resolve } from 'node:path'
import type { Store } from '../inbox/inbox.ts'
import { GoneListeners } from '../inbox/unhandled-tasks.ts'
import type { WorkersOfProcess } from '../inbox/worker-heartbeats.ts'
import { withCallerStack } from '../runtime/call-site.ts'
import { assertNodeVersion } from '../runtime/node-version.ts'
import { isNextBuild } from '../runtime/platform.ts'
import { prepareFile } from './connection/open.ts'
import { createInbox } from './inbox.ts'
import { resolveSqliteOptions, type SqliteOptions } from './options.ts'
import { maintenanceThread, writerThread } from './threads.ts'

export type { SqliteOptions } from './options.ts'

assertNodeVersion()

/**
 * An inbox in a file: `new Hooks({ inbox: sqlite('hookserver.db') })`. If the file does not exist, creates it so that
 * only its owner can read it. Several processes of one machine may share the file. A delivery that is answered 2xx is
 * on disk.
 * @param path On a local disk: SQLite's write-ahead log does not work on network file systems.
 * @throws {Error} with the fix, if the file cannot be opened, is damaged, or was written by a newer hookserver.
 * @throws {TypeError} naming the invalid argument or option.
 */
export function sqlite(path: string, options: SqliteOptions = {}): Store {
  if (typeof path !== 'string' || path === '' || path.startsWith(':memory:') || path.includes('://')) {
    // The value may be a URL with a password, so the message does not contain it.
    throw new TypeError(
      'sqlite(path): expected the path of a file. For a URL, use postgres(url) of hookserver/postgres',
    )
  }
  const settings = { path: resolve(path), ...withCallerStack([sqlite], () => resolveSqliteOptions(options)) }
  const workers: WorkersOfProcess = new Map()
  const writer = writerThread(settings)
  const goneListeners = new GoneListeners()
  const maintenance = maintenanceThread(
    settings,
    () => [...workers].map((worker) => ({ method: 'addWorker', args: worker })),
    (tasks) => goneListeners.report(tasks),
  )
  if (!isNextBuild()) prepareFile(settings.path)
  return createInbox({ writer, maintenance, workers, goneListeners, heartbeat: settings.heartbeat })
}
