/** Decisions about a server, by its settings and the options of its module. A setting overrides an option. */

import { apiUrlOf, githubUrlOf } from '../../github/addresses.ts'
import type { Target } from '../../github/target.ts'
import type { Hooks } from '../../hooks.ts'
import { capabilities, requireCapabilities } from '../../inbox/capabilities.ts'
import type { Store } from '../../inbox/inbox.ts'
import { optionsOf } from '../../internals.ts'
import type { HooksOptions } from '../../options.ts'
import { githubApi } from '../../settings.ts'
import type { Config } from './resolve-config.ts'

/**
 * The options of `Hooks` that the settings of the server override. If an option is `undefined` here, the option of the
 * module applies.
 */
export function hooksOptions(config: Config): HooksOptions {
  const { path, validateIp, ranges, validateSignature, trustProxy, githubToken, dev } = config
  return {
    path: path.value,
    validateIp: dev.value ? false : validateIp.value,
    ranges: ranges.value,
    validateSignature: validateSignature.value,
    trustProxy: trustProxy.value,
    apiUrl: configuredApiUrl(config),
    token: githubToken.value,
  }
}

/** The address of GitHub's API. `undefined` if no setting names it: the option `apiUrl` of the module then applies. */
export function configuredApiUrl({ github, apiUrl }: Pick<Config, 'github' | 'apiUrl'>): string | undefined {
  return apiUrl.value ?? (github.value === undefined ? undefined : apiUrlOf(github.value))
}

/** The addresses of GitHub's pages and of its API. */
export function githubAddresses(config: Pick<Config, 'github' | 'apiUrl'>): { github: string; apiUrl: string } {
  const apiUrl = configuredApiUrl(config) ?? githubApi
  return { github: config.github.value ?? githubUrlOf(apiUrl), apiUrl }
}

/** @param ofModule The options of the module. */
export const checksSignatures = ({ validateSignature }: Config, ofModule: HooksOptions = {}): boolean =>
  validateSignature.value ?? ofModule.validateSignature ?? true

/** Whether GitHub sends deliveries to the server. A worker gets none, and a server with `--pull` reads them itself. */
export const receivesDeliveries = ({ role, pull }: Config): boolean =>
  role.value !== 'worker' && pull.value === undefined

/** The webhooks whose missed deliveries the server recovers. A receiver recovers none. */
export const recoverTargets = ({ role, recover }: Config): Target[] | undefined =>
  role.value === 'receiver' ? undefined : recover.value

/**
 * The inbox of the module. `undefined` if it has none, or if a setting names another database. `DATABASE_URL` does not
 * count as such a setting, because other programs use it too.
 * @throws {TypeError} naming the capability that it lacks: a server and the commands need all.
 */
export function moduleInbox({ database }: Pick<Config, 'database'>, hooks: Hooks | undefined): Store | undefined {
  const isModules = database.source === undefined || database.isGeneric
  const inbox = isModules ? hooks && optionsOf(hooks).inbox : undefined
  return inbox ? requireCapabilities(inbox, capabilities, 'This command') : undefined
}
