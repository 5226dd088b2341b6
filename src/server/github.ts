/** Creates recovery and polling from the configuration of a server. */
import { githubUrlOf } from '../github/addresses.ts'
import { readPermissions } from '../github/app/needs.ts'
import { deliveryRetention } from '../github/delivery-log.ts'
import { GitHubClient } from '../github/github-client.ts'
import { type GitHubStatus, readGitHubStatus, statusTargets } from '../github/github-status.ts'
import { Polling } from '../github/polling/polling.ts'
import { createRecovery, type Recovery } from '../github/recovery/recovery.ts'
import { formatTarget, missingCredentials, type Target } from '../github/target.ts'
import { findOnlyWebhook, UnclearWebhook } from '../github/webhooks/find-webhooks.ts'
import type { Registration } from '../handler.ts'
import type { Store } from '../inbox/inbox.ts'
import { shared } from '../runtime/shared.ts'
import { within } from '../runtime/timer.ts'
import type { Settings } from '../settings.ts'
import type { GitHubAccess } from './auth/github-login.ts'
import { checkPull } from './config/conflicts.ts'
import { eventNamesOf, type HooksModule } from './config/hooks-module.ts'
import { type Config, ConfigError, type ConfigValue } from './config/resolve-config.ts'
import { recoverTargets } from './config/server-options.ts'
import { textSecrets } from './config/server-secret.ts'

interface GitHubParts {
  config: Config
  /** The options of the `Hooks`, with those of the server. */
  settings: Settings
  inbox: Store
}

/**
 * @returns `undefined` in a receiver, and unless the configuration names webhooks to recover.
 * @throws {ConfigError} if there are no credentials for GitHub.
 */
export function openRecovery(
  { config, settings, inbox }: GitHubParts,
  registrations: readonly Registration[],
): Recovery | undefined {
  const targets = recoverTargets(config)
  if (targets === undefined) return undefined
  checkCredentials(config.recover, settings)
  return createRecovery({ ...settings, inbox }, registrations, {
    targets: targets.map(formatTarget),
    publicUrl: config.publicUrl.value,
    every: config.recoverEvery.value,
    lookback: config.recoverLookback.value,
    mode: config.recoverMode.value,
    events: config.recoverEvents.value,
    includeOk: config.recoverIncludeOk.value,
    pace: config.recoverPace.value,
  })
}

/**
 * @returns `undefined` unless the configuration names webhooks to poll.
 * @throws {ConfigError} if this process is a receiver, or there are no credentials for GitHub.
 */
export function openPolling({ config, settings, inbox }: GitHubParts): Polling | undefined {
  const { pull, pullEvery } = config
  if (pull.value === undefined) return undefined
  checkPull(config)
  checkCredentials(pull, settings)
  const { source, logger, apiUrl } = settings
  const client = new GitHubClient(settings)
  return new Polling({
    ...{ inbox, source, logger, targets: pull.value, every: pullEvery.value, retention: deliveryRetention(apiUrl) },
    connect: (target) => client.requesterFor(target),
    namespaceOf: (target) => client.namespaceOf(target),
  })
}

/** Milliseconds for which the answers of GitHub are reused: a status takes several requests for each webhook. */
const statusLasts = 60_000

/** @returns `undefined` unless the server has credentials, and an App or webhooks to ask about. */
export function openGitHubStatus(
  { config, settings }: Omit<GitHubParts, 'inbox'>,
  module: HooksModule | undefined,
): (() => Promise<GitHubStatus>) | undefined {
  const { recover, pull, publicUrl } = config
  const [recovered, pulled] = [recover.value ?? [], pull.value ?? []]
  if (statusTargets({ settings, recovered, pulled }).length === 0) return undefined
  const { permissions } = (module?.config ?? {}) as { permissions?: unknown }
  const options = {
    ...{ settings, recovered, pulled, publicUrl: publicUrl.value },
    secrets: settings.validateSignature ? textSecrets(settings.secret) : undefined,
    names: module ? eventNamesOf(module) : [],
    permissions: readPermissions(module?.name ?? '', permissions),
  }
  return shared(() => readGitHubStatus(options), statusLasts)
}

/**
 * @returns `undefined` unless the configuration names organizations or teams that may log in.
 * @throws {ConfigError} if the client id or the client secret of the App is missing.
 */
export function githubAccess({ config, settings }: Omit<GitHubParts, 'inbox'>): GitHubAccess | undefined {
  const { adminGithubOperators: operators, adminGithubViewers: viewers } = config
  const source = operators.source ?? viewers.source
  if (operators.value === undefined && viewers.value === undefined) return undefined
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret } = process.env
  if (!clientId || !clientSecret) {
    const cure = 'set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, which "npx hookserver app create" writes to .env'
    throw new ConfigError([`${source}: users log in to a GitHub App: ${cure}`])
  }
  const { apiUrl } = settings
  const app = { clientId, clientSecret, apiUrl, github: config.github.value ?? githubUrlOf(apiUrl) }
  return { app, operators: operators.value ?? [], viewers: viewers.value ?? [] }
}

/** Milliseconds that the start of a server waits for the lists of webhooks. */
const listTimeout = 5000

/**
 * Asks GitHub which webhooks there are, if `--recover` or `--pull` names a repository or an organization. If GitHub does
 * not answer with a list, the server starts all the same: recovery and polling try again, and log the error.
 * @throws {ConfigError} with the webhooks to choose from, if there are several.
 */
export async function checkWebhookChoice({ config, settings }: Omit<GitHubParts, 'inbox'>): Promise<void> {
  const { publicUrl, recover, pull } = config
  const recovered = publicUrl.value === undefined ? (recoverTargets(config) ?? []) : []
  const client = new GitHubClient(settings)
  const check = async (target: Target, source: string | undefined) => {
    if (target === 'app' || target.id !== undefined) return
    try {
      await findOnlyWebhook(target, await client.requesterFor(target))
    } catch (error) {
      if (error instanceof UnclearWebhook) throw new ConfigError([`${source}: ${error.message}`])
    }
  }
  const checks = [
    ...recovered.map((target) => check(target, recover.source)),
    ...(pull.value ?? []).map((target) => check(target, pull.source)),
  ]
  await within(listTimeout, Promise.all(checks))
}

/**
 * Checks nothing if the setting names no targets.
 * @throws {ConfigError} if there are no credentials for GitHub.
 */
export function checkCredentials(
  { value: targets, source }: ConfigValue<Target[] | undefined>,
  settings: Settings,
): void {
  if (targets === undefined) return
  const missing = missingCredentials(targets, settings)
  if (missing !== undefined) throw new ConfigError([`${source}: ${missing}`])
}
