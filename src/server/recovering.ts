import { Recovery } from '../github/recovery.ts'
import type { RecoveryOptions } from '../github/sweeper.ts'
import { resolveOptions } from '../settings.ts'
import type { Config } from './config.ts'
import { clientsFor, keptAt, type ReaderParts } from './github-clients.ts'

/**
 * Whoever fetches what did not come in, if that is wanted.
 * @throws {ConfigError} if there is nobody to ask GitHub as.
 */
export function recoveryOf({ config, hooks, mounting, inbox }: ReaderParts): Recovery | undefined {
  const { recover, recoverEvents } = config
  if (recover.value === undefined) return undefined
  const settings = resolveOptions(hooks.options, mounting)
  const { apiUrl, logger, source, capture } = settings
  const clients = clientsFor(recover, settings)
  const wanted = recoverEvents.value ?? (capture ? ['*'] : hooks.registrations.flatMap(({ events }) => events))
  const names = new Set(wanted)
  const isHandled = (event: string, action: string | undefined) =>
    names.has('*') || names.has(event) || names.has(`${event}.${action}`)
  const connect = clients.connect.bind(clients)
  return new Recovery({ inbox, source, connect, isHandled, logger }, optionsOf(config, apiUrl))
}

function optionsOf(config: Config, apiUrl: string): RecoveryOptions {
  return {
    targets: config.recover.value ?? [],
    url: config.recoverUrl.value,
    every: config.recoverEvery.value,
    lookback: config.recoverLookback.value,
    mode: config.recoverMode.value,
    includeOk: config.recoverIncludeOk.value,
    pace: config.recoverPace.value,
    kept: keptAt(apiUrl),
  }
}
