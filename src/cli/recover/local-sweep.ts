import type { SweepOptions, Swept } from '../../github/sweeper.ts'
import { loadModule } from '../../server/module.ts'
import { recoveryOf } from '../../server/recovering.ts'
import type { AdminClient } from '../admin-client.ts'
import { withUsageErrors } from '../config-flags.ts'
import { openLocal } from '../connection-flags.ts'
import { UsageError } from '../errors.ts'
import { findServerSecret } from '../secrets.ts'
import { abortOnSignal } from '../terminal.ts'
import { type SweepFlags, sweepConfig } from './sweep-flags.ts'

/** A recovery sweep, by this process or by a remote server. */
export interface Sweep {
  client: Pick<AdminClient, 'overview' | 'close'>
  run(options: SweepOptions): Promise<Swept>
  isStopped(): boolean
}

/** A sweep by this process, of a database that it reaches. @throws {UsageError} */
export async function openLocalSweep(hooks: readonly string[], flags: SweepFlags): Promise<Sweep> {
  const early = sweepConfig(hooks, flags)
  if (flags.module !== undefined) findServerSecret(early)
  const module = flags.module === undefined ? undefined : await loadModule(flags.module)
  const config = module ? sweepConfig(hooks, flags, module) : early
  if (config.recover.value === undefined) throw new UsageError(noHooks)
  const ownInbox = config.database.source ? undefined : module?.hooks.options.inbox
  const inbox = ownInbox ?? (await openLocal(config))
  try {
    const { url, apiUrl, githubToken } = config
    const mounting = { inbox, url: url.value, apiUrl: apiUrl.value, token: githubToken.value, logger: false as const }
    const recovery = withUsageErrors(() => recoveryOf({ config, hooks: module?.hooks, mounting, inbox }))
    const stop = abortOnSignal()
    stop.addEventListener('abort', () => void recovery?.stop())
    const run: Sweep['run'] = async (options) => {
      const swept = await recovery?.sweep(options)
      if (swept) return swept
      throw new Error(
        'A recovery sweep is already running for this inbox, such as by a server with --recover: try again in a minute',
      )
    }
    return { client: inbox, run, isStopped: () => stop.aborted }
  } catch (error) {
    await inbox.close()
    throw error
  }
}

const noHooks =
  'Name a webhook, such as acme/shop#7: its id is at the end of the address of its settings page on GitHub'
