/** The webhooks and the App of a server as GitHub shows them, and their problems. */
import { appWithoutDelivery } from '../app.ts'
import type { Finding } from '../runtime/finding.ts'
import { formatDuration } from '../runtime/format.ts'
import type { Settings } from '../settings.ts'
import { githubUrlOf } from './addresses.ts'
import { compareApp } from './app/compare.ts'
import {
  type AppDetails,
  type InstallationDetails,
  readAppDetails,
  readAppWebhook,
  readInstallations,
  settingsPage,
} from './app/details.ts'
import { appFindings } from './app/findings.ts'
import { needsOf } from './app/needs.ts'
import type { LoggedAttempt } from './delivery-log.ts'
import type { Permissions } from './event-permissions.ts'
import { GitHubClient } from './github-client.ts'
import {
  defaultRetryPolicy,
  describeError,
  type RequestError,
  type Requester,
  RetryingRequester,
  rateLimitWait,
} from './requester.ts'
import { formatTarget, missingCredentials, type Target, withoutSecrets } from './target.ts'
import { type CheckedWebhook, checkWebhook } from './webhooks/check-webhook.ts'
import { isNeededToPull } from './webhooks/findings.ts'
import { nameOfWebhook } from './webhooks/webhook-details.ts'
import { webhookEvents } from './webhooks/webhook-events.ts'
import { WebhooksApi } from './webhooks/webhooks-api.ts'

export interface GitHubStatus {
  /** When GitHub was asked, in milliseconds since 1970. */
  checkedAt: number
  webhooks: WebhookStatus[]
  /** Missing if the server has no GitHub App. */
  app?: AppStatus | undefined
  /** What GitHub did not show, and why. */
  problems: { target: string; problem: string }[]
}

interface WebhookStatus {
  /** As on the command line: `acme/shop#7`, or `app`. */
  name: string
  /** Missing if there is no webhook, or if there are several to choose from. Without parts that may be secret. */
  url?: string | undefined
  events: readonly string[]
  findings: Finding[]
  /** The newest deliveries in GitHub's log, newest first. */
  newest: Pick<LoggedAttempt, 'guid' | 'deliveredAt' | 'event' | 'action' | 'status' | 'ok'>[]
}

interface AppStatus extends Pick<AppDetails, 'name' | 'page' | 'permissions' | 'events'> {
  /** The address of the page on which the owner changes the App. */
  settings: string
  findings: Finding[]
  installations: InstallationDetails[]
}

export interface GitHubStatusOptions {
  settings: Settings
  /** The webhooks that the server recovers. */
  recovered: readonly Target[]
  /** The webhooks that the server polls. GitHub need not reach it for them, so failed deliveries are no problem. */
  pulled: readonly Target[]
  /** The URL that GitHub delivers to. */
  publicUrl: string | undefined
  /** The secrets that are texts. */
  secrets: readonly string[] | undefined
  /** The names of the events that have handlers. */
  names: readonly string[]
  /** The permissions that the module declares. */
  permissions: Permissions
}

/** The maximum number of deliveries of one webhook in a status. */
const maxNewest = 10

/** The maximum number of installations in a status. */
const maxInstallations = 100

/** Milliseconds for all requests about one target. */
const timeout = 15_000

/** The targets of the server, and the App if the server has its credentials. */
export function statusTargets({
  settings,
  recovered,
  pulled,
}: Pick<GitHubStatusOptions, 'settings' | 'recovered' | 'pulled'>): Target[] {
  const readable = [...recovered, ...pulled].filter((target) => missingCredentials([target], settings) === undefined)
  const all: Target[] = appWithoutDelivery(settings.app) ? ['app', ...readable] : readable
  return [...new Map(all.map((target) => [formatTarget(target), target])).values()]
}

/** Asks GitHub. Changes nothing, and sends no ping. */
export async function readGitHubStatus(options: GitHubStatusOptions): Promise<GitHubStatus> {
  const status: GitHubStatus = { checkedAt: Date.now(), webhooks: [], problems: [] }
  const client = new GitHubClient(options.settings)
  for (const target of statusTargets(options)) {
    const signal = AbortSignal.timeout(timeout)
    try {
      const policy = { ...defaultRetryPolicy, retries: [] }
      const github = new RetryingRequester(await client.requesterFor(target), signal, policy, pause)
      if (target === 'app') status.app = await readApp(github, options)
      if (target === 'app' && !(await hasWebhook(github))) continue
      status.webhooks.push(await readWebhook(target, github, options, signal))
    } catch (error) {
      status.problems.push({ target: formatTarget(target), problem: problemOf(error, signal) })
    }
  }
  return status
}

/** Whether the App has a webhook. It needs none: deliveries may arrive at webhooks of repositories. */
const hasWebhook = async (github: Requester): Promise<boolean> => (await readAppWebhook(github)).url !== undefined

async function readApp(
  github: Requester,
  { settings, names, permissions: declared }: GitHubStatusOptions,
): Promise<AppStatus> {
  const app = await readAppDetails(github)
  const installations = await readInstallations(github, maxInstallations)
  const { name, page, permissions, events } = app
  const needs = needsOf(names, declared, events)
  const difference = compareApp(needs, app, installations)
  const findings =
    names.length > 0 ? appFindings(difference, 'has all permissions and events that the handlers need') : []
  return {
    ...{ name, page, permissions, events, findings, installations },
    settings: settingsPage(githubUrlOf(settings.apiUrl), app),
  }
}

async function readWebhook(
  target: Target,
  github: Requester,
  { pulled, publicUrl, secrets, names }: GitHubStatusOptions,
  signal: AbortSignal,
): Promise<WebhookStatus> {
  const isPulled = pulled.some((one) => formatTarget(one) === formatTarget(target))
  const api = new WebhooksApi({ target, github, signal, retries: [], pause })
  const expected = {
    ...{ target, api, url: isPulled ? undefined : publicUrl },
    events: names.length > 0 ? webhookEvents(names, target) : undefined,
    secrets: secrets && { values: secrets, source: 'the secret of the server', file: undefined },
  }
  const { findings, checked } = await collect(checkWebhook(expected, { isPinged: false, usedNames: new Set() }))
  const { webhook, newest = [] } = checked ?? {}
  return {
    name: webhook ? nameOfWebhook(target, webhook) : formatTarget(target),
    url: webhook && withoutSecrets(webhook.url),
    events: webhook?.events ?? [],
    findings: isPulled ? findings.filter(isNeededToPull) : findings,
    newest: newest.slice(0, maxNewest).map(({ guid, deliveredAt, event, action, status, ok }) => ({
      ...{ guid, deliveredAt, event, action, status, ok },
    })),
  }
}

async function collect(checks: ReturnType<typeof checkWebhook>) {
  const findings: Finding[] = []
  for (;;) {
    const { done, value } = await checks.next()
    if (done) return { findings, checked: value as CheckedWebhook | undefined }
    findings.push(value)
  }
}

/** A person waits for the status, so a rate limit ends it. */
async function pause(ms: number): Promise<never> {
  throw new Error(limited(ms))
}

const limited = (ms: number): string => `GitHub's rate limit allows no request now: try again in ${formatDuration(ms)}`

function problemOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `GitHub did not answer within ${timeout / 1000} s`
  const { cause = error } = error as Error // the errors of `WebhooksApi` have a text for the operator
  const wait = rateLimitWait(cause as RequestError)
  return wait === undefined ? describeError(error) : limited(wait)
}
