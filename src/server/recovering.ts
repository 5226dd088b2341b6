import { Recovery } from '../github/recovery.ts'
import { SweepClients } from '../github/sweep-clients.ts'
import type { RecoveryOptions } from '../github/sweeper.ts'
import type { Hooks } from '../hooks.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { HooksOptions } from '../options.ts'
import { resolveOptions } from '../settings.ts'
import { type Config, ConfigError } from './config.ts'

const day = 86_400_000

/** What a recovery is made of. */
export interface Recovered {
  config: Config
  hooks: Hooks
  /** What the server sets beside what `hooks` were made with. */
  mounting: HooksOptions
  inbox: Inbox
}

/**
 * Whoever fetches what did not come in, if that is wanted.
 * @throws {ConfigError} if there is nobody to ask GitHub as.
 */
export function recoveryOf({ config, hooks, mounting, inbox }: Recovered): Recovery | undefined {
  const { recover, recoverEvents } = config
  if (recover.value === undefined) return undefined
  const { apiUrl, app, token, logger, source, capture } = resolveOptions(hooks.options, mounting)
  const forApp = recover.value.includes('app')
  if ((forApp && !app) || (!app && token === undefined)) {
    const cure = forApp
      ? 'GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'
      : 'GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'
    throw new ConfigError([`${recover.source}: GitHub shows deliveries to whoever it knows: set ${cure}`])
  }
  const clients = new SweepClients({ apiUrl, app, token, logger }, new AbortController().signal)
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
    kept: isGitHubCom(apiUrl) ? 3 * day : 7 * day,
  }
}

/** Or one of its subdomains for companies, at ghe.com; all else is an Enterprise Server. */
const isGitHubCom = (apiUrl: string): boolean => /^https:\/\/api\.(github\.com|[\w-]+\.ghe\.com)$/.test(apiUrl)
