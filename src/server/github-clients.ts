import { SweepClients } from '../github/sweep-clients.ts'
import type { Target } from '../github/target.ts'
import type { Hooks } from '../hooks.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { HooksOptions } from '../options.ts'
import type { Settings } from '../settings.ts'
import { type Chosen, type Config, ConfigError } from './config.ts'

const day = 86_400_000

/** What whoever reads GitHub's log is made of. */
export interface ReaderParts {
  config: Config
  hooks: Hooks
  /** What the server sets beside what `hooks` were made with. */
  mounting: HooksOptions
  inbox: Inbox
}

/**
 * Whoever reads GitHub's log of deliveries.
 * @param targets The setting that names whose.
 * @throws {ConfigError} if there is nobody to ask GitHub as.
 */
export function clientsFor(
  { value: targets = [], source }: Chosen<Target[] | undefined>,
  { apiUrl, app, token, logger }: Settings,
): SweepClients {
  const forApp = targets.includes('app')
  if ((forApp && !app) || (!app && token === undefined)) {
    const cure = forApp
      ? 'GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'
      : 'GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'
    throw new ConfigError([`${source}: GitHub shows deliveries to whoever it knows: set ${cure}`])
  }
  return new SweepClients({ apiUrl, app, token, logger }, new AbortController().signal)
}

/** Milliseconds for which GitHub keeps deliveries. */
export const keptAt = (apiUrl: string): number => (isGitHubCom(apiUrl) ? 3 * day : 7 * day)

/** Or one of its subdomains for companies, at ghe.com; all else is an Enterprise Server. */
const isGitHubCom = (apiUrl: string): boolean => /^https:\/\/api\.(github\.com|[\w-]+\.ghe\.com)$/.test(apiUrl)
