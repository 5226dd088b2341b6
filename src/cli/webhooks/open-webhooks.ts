/** The flags that the commands for webhooks share, and how the commands connect to GitHub. */

import { type Command, Option } from 'commander'
import * as v from 'valibot'
import { GitHubClient } from '../../github/github-client.ts'
import { missingCredentials, parseTarget, type Target } from '../../github/target.ts'
import type { ExpectedWebhook } from '../../github/webhooks/check-webhook.ts'
import type { OwnSecrets } from '../../github/webhooks/proof-findings.ts'
import { type WebhookEvents, webhookEvents } from '../../github/webhooks/webhook-events.ts'
import { WebhooksApi, type WebhooksApiOptions } from '../../github/webhooks/webhooks-api.ts'
import { optionsOf } from '../../internals.ts'
import { formatDuration } from '../../runtime/format.ts'
import { sleep } from '../../runtime/timer.ts'
import { eventNamesOf, type HooksModule, loadWithConfig } from '../../server/config/hooks-module.ts'
import { type Config, flagOf, variablesOf } from '../../server/config/resolve-config.ts'
import { hooksOptions } from '../../server/config/server-options.ts'
import { textSecrets } from '../../server/config/server-secret.ts'
import { events as eventList } from '../../server/config/setting.ts'
import { type SettingName, settings as serverSettings } from '../../server/config/settings.ts'
import { resolveOptions, type Settings } from '../../settings.ts'
import { addEnvFileFlags } from '../env-file-flags.ts'
import { configFromFlags, invalidValue, UsageError } from '../flags.ts'
import { abortOnSignal } from '../output.ts'

/** The setting of the server that each flag sets. */
const settingOf = {
  publicUrl: 'publicUrl',
  secretFile: 'secretFile',
  githubToken: 'githubToken',
  github: 'github',
  apiUrl: 'apiUrl',
} as const

type SettingFlag = keyof typeof settingOf

export interface WebhookFlags extends Partial<Record<SettingFlag, string>> {
  module?: string
  events?: string
  json?: true
}

const help: Readonly<Partial<Record<SettingFlag, string>>> = {
  publicUrl: 'URL that GitHub delivers to',
  secretFile: "File with the webhook's secrets, one per line, newest first",
}

export function addSettingFlags(command: Command, names: readonly SettingFlag[]): Command {
  for (const name of names) {
    const setting = serverSettings[settingOf[name]]
    const text = `${help[name] ?? setting.help} [${variablesOf(settingOf[name]).join(', ')}]`
    command.addOption(new Option(`${flagOf(name)} ${setting.placeholder}`, text))
  }
  return command
}

/** The flags that every command has: how to reach GitHub, and the `.env` file. */
export const addGitHubFlags = (command: Command): Command =>
  addEnvFileFlags(addSettingFlags(command, ['githubToken', 'github', 'apiUrl']))

/** Flags that name the events that the webhook must have. */
export const addEventFlags = (command: Command): Command =>
  command
    .option('--module <module>', 'Module of the server: its handlers name the events')
    .option('--events <list>', 'Events, instead of a module: push,issues, or * for all')

/** The webhook of a command, as it should be. */
export interface OpenWebhooks extends ExpectedWebhook {
  settings: Settings
}

/**
 * Reads the settings, and connects to the API for the webhooks of a target.
 * @param options `needsSecret`: false for a command that needs neither the secret nor the module.
 * @throws {UsageError} @throws {ConfigError}
 */
export async function openWebhooks(
  text: string,
  flags: WebhookFlags,
  { needsSecret = true }: { needsSecret?: boolean } = {},
): Promise<OpenWebhooks> {
  const target = targetIn(text)
  const read = (loaded?: HooksModule | 'pending') => configOf(flags, loaded)
  const { module, config, secret } = needsSecret
    ? await loadWithConfig(flags.module, read)
    : { module: undefined, config: read(), secret: undefined }
  const settings = resolveOptions(module && optionsOf(module.hooks), { ...hooksOptions(config), logger: false })
  const missing = missingCredentials([target], settings)
  if (missing !== undefined) throw new UsageError(missing)
  const secrets = secret
    ? { values: [secret.value].flat(), source: secret.source, file: config.secretFile.value }
    : module && secretsOf(module)
  return {
    ...{ target, settings, secrets, events: eventsFor(target, flags, module), url: config.publicUrl.value },
    api: await openApi(target, settings),
  }
}

/** @throws {UsageError} if the text does not name a target. */
export function targetIn(text: string): Target {
  const target = parseTarget(text)
  if (target) return target
  throw invalidValue('target', 'acme/shop, acme/shop#<hook id>, acme, acme#<hook id> or app', text)
}

function configOf(flags: WebhookFlags, module?: HooksModule | 'pending'): Config {
  const pairs = Object.entries(settingOf) as [SettingFlag, SettingName][]
  return configFromFlags(Object.fromEntries(pairs.map(([flag, name]) => [name, flags[flag]])), {
    names: pairs.map(([, name]) => name),
    flagNames: Object.fromEntries(pairs.map(([flag, name]) => [name, flagOf(flag)])),
    module,
  })
}

function eventsFor(target: Target, flags: WebhookFlags, module: HooksModule | undefined): WebhookEvents | undefined {
  if (flags.events !== undefined) {
    const { success, output, issues } = v.safeParse(eventList, flags.events)
    if (!success) throw invalidValue('--events', issues[0].message, flags.events)
    return webhookEvents(output, target)
  }
  return module && webhookEvents(eventNamesOf(module), target)
}

function secretsOf({ name, hooks }: HooksModule): OwnSecrets | undefined {
  const values = textSecrets(optionsOf(hooks).secret)
  return values && { values, source: name, file: undefined }
}

interface ApiOptions extends Pick<WebhooksApiOptions, 'retries'> {
  /** Default: aborts at Ctrl+C. */
  signal?: AbortSignal
}

export async function openApi(
  target: Target,
  settings: Settings,
  { signal = abortOnSignal(), ...rest }: ApiOptions = {},
): Promise<WebhooksApi> {
  const pause = async (ms: number) => {
    if (ms > longWaitMs) console.error(`hookserver: Waiting ${formatDuration(ms)} for GitHub's rate limit`)
    await sleep(ms, signal, { keepAlive: true })
  }
  const github = await new GitHubClient(settings).requesterFor(target)
  return new WebhooksApi({ target, github, signal, pacing: settings.pacing, pause, ...rest })
}

/** Milliseconds. The command reports only longer waits. */
const longWaitMs = 10_000
