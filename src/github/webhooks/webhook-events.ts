/** The events of a webhook, from the names that handlers are registered for. */
import { splitName } from '../../events.ts'
import type { LoggedAttempt } from '../delivery-log.ts'
import type { Target } from '../target.ts'

const appOnly = [
  ...['deployment_protection_rule', 'deployment_review', 'github_app_authorization', 'installation'],
  ...['installation_repositories', 'installation_target', 'repository_dispatch', 'security_advisory'],
  'workflow_dispatch',
]
/** Events of GitHub Marketplace and GitHub Sponsors, which have webhooks of their own. */
const others = ['marketplace_purchase', 'sponsorship']
/** Webhooks of an enterprise get it. hookserver cannot manage these webhooks. */
const enterpriseOnly = ['organization_custom_property']
const organizationOnly = [
  ...['custom_property', 'membership', 'org_block', 'organization', 'organization_custom_property_values'],
  ...['personal_access_token_request', 'projects_v2', 'projects_v2_item', 'projects_v2_status_update', 'team'],
]

/**
 * Events that webhooks of a repository or an organization do not get. Source: `supported-webhook-types` in GitHub's
 * OpenAPI description of 2026 (`@octokit/openapi-webhooks` 12.1.0), except `merge_group`: repositories offer this
 * event, although the description lists it for Apps only. GitHub rejects a webhook that subscribes to an unavailable
 * event.
 */
const unavailable: Readonly<Record<'repository' | 'organization', ReadonlySet<string>>> = {
  repository: new Set([...appOnly, ...others, ...enterpriseOnly, ...organizationOnly]),
  organization: new Set([...appOnly, ...others, ...enterpriseOnly]),
}

/** Whether webhooks of a repository or an organization can get an event. An event that is not known counts as available. */
export const isAvailable = (event: string, owner: 'repository' | 'organization'): boolean =>
  !unavailable[owner].has(event)

export interface WebhookEvents {
  /** Sorted, each once. `['*']` for all events. */
  events: string[]
  /** Named events that GitHub does not send to webhooks of the target. */
  unavailable: string[]
}

/**
 * Whether GitHub sends an event without a subscription. All webhooks get `ping`. The webhook of an App also gets the
 * events about the installations and authorizations of the App.
 */
const isAlwaysSent = (event: string, target: Target): boolean =>
  event === 'ping' || (target === 'app' && /^(installation.*|github_app_authorization)$/.test(event))

/** The events to subscribe to, from names such as `push`, `issues.opened` and `*`. */
export function webhookEvents(names: readonly string[], target: Target): WebhookEvents {
  const events = [...new Set(names.map((name) => splitName(name)[0]))]
  const all = events.filter((event) => !isAlwaysSent(event, target)).toSorted()
  if (all.includes('*')) return { events: ['*'], unavailable: [] }
  const isSent = (event: string) =>
    target === 'app' || isAvailable(event, 'repository' in target ? 'repository' : 'organization')
  return { events: all.filter(isSent), unavailable: all.filter((event) => !isSent(event)) }
}

/** Each `event` and `event.action` in a delivery log. */
export const loggedNames = (log: readonly Pick<LoggedAttempt, 'event' | 'action'>[]): string[] =>
  log.flatMap(({ event, action }) => (action === undefined ? [event] : [event, `${event}.${action}`]))

interface EventDifference {
  /** Wanted events that the webhook does not subscribe to. */
  missing: string[]
  /** Events that the webhook subscribes to, and that are not wanted. */
  unneeded: string[]
}

export function compareEvents(subscribed: readonly string[], wanted: readonly string[]): EventDifference {
  const all = subscribed.includes('*')
  return {
    missing: wanted.filter((event) => !all && !subscribed.includes(event)),
    unneeded: wanted.includes('*') ? [] : subscribed.filter((event) => !wanted.includes(event)),
  }
}
