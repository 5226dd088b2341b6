import type { SweepOptions, Swept } from '../../github/sweeper.ts'
import { loadModule } from '../../server/module.ts'
import { recoveryOf } from '../../server/recovering.ts'
import { UsageError } from '../errors.ts'
import type { Operator } from '../operator.ts'
import { asUsage, findSecret } from '../starting.ts'
import { openLocal } from '../whereabouts.ts'
import { type Flags, sweepConfig } from './flags.ts'

/** Who looks: this process, or a server far away. */
export interface Sweeping {
  operator: Pick<Operator, 'overview' | 'close'>
  sweep(options: SweepOptions): Promise<Swept>
  /** Whether it was told to stop. */
  stopped(): boolean
}

/** A sweep by this process, on the database of this machine. @throws {UsageError} @throws {Error} naming the cure. */
export async function openSweep(hooks: readonly string[], flags: Flags): Promise<Sweeping> {
  const early = sweepConfig(hooks, flags)
  if (flags.module !== undefined) findSecret(early)
  const module = flags.module === undefined ? undefined : await loadModule(flags.module)
  const config = module ? sweepConfig(hooks, flags, module) : early
  if (config.recover.value === undefined) throw new UsageError(noHooks)
  const own = config.database.source ? undefined : module?.hooks.options.inbox
  const inbox = own ?? (await openLocal(config))
  try {
    const { url, apiUrl, githubToken } = config
    const mounting = { inbox, url: url.value, apiUrl: apiUrl.value, token: githubToken.value, logger: false as const }
    const recovery = asUsage(() => recoveryOf({ config, hooks: module?.hooks, mounting, inbox }))
    return { operator: inbox, ...stoppable(recovery) }
  } catch (error) {
    await inbox.close()
    throw error
  }
}

const noHooks =
  'Whose deliveries? Name the webhook, such as acme/shop#7: its id is at the end of the address of its page on GitHub'

/** Told to stop, it does so and says what was reached; told twice, the process ends as others do. */
function stoppable(recovery: ReturnType<typeof recoveryOf>): Pick<Sweeping, 'sweep' | 'stopped'> {
  let stopped = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopped = true
      void recovery?.stop()
    })
  }
  return {
    stopped: () => stopped,
    async sweep(options) {
      const swept = await recovery?.sweep(options)
      if (swept) return swept
      throw new Error('Another process is at it already, a server with --recover for one: try again in a minute')
    },
  }
}
