import { keptAt } from '../github/delivery-log.ts'
import { Polling } from '../github/polling.ts'
import { resolveOptions } from '../settings.ts'
import { ConfigError } from './config/resolve-config.ts'
import { clientsFor, type ReaderParts } from './github-clients.ts'

/**
 * Polls GitHub's delivery log, if `--pull` is set.
 * @throws {ConfigError} if this process is a receiver, or no credentials for GitHub are configured.
 */
export function pollingOf({ config, hooks, mounting, inbox }: ReaderParts): Polling | undefined {
  const { pull, pullEvery, role } = config
  if (pull.value === undefined) return undefined
  if (role.value === 'receiver') {
    const why = 'a receiver stores what GitHub sends to it, and here nothing is sent to anybody'
    throw new ConfigError([`${pull.source}: ${why}: leave out --role receiver`])
  }
  const settings = resolveOptions(hooks.options, mounting)
  const { apiUrl, source, logger } = settings
  const clients = clientsFor(pull, settings)
  const connect = clients.connect.bind(clients)
  return new Polling(
    { inbox, source, logger, connect },
    { targets: pull.value, every: pullEvery.value, kept: keptAt(apiUrl) },
  )
}
