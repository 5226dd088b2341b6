/** Checks of a webhook's settings and of its deliveries. */

import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { formatAge, plural, shellQuoted } from '../../runtime/format.ts'
import { isLoopback } from '../../runtime/loopback.ts'
import type { LoggedAttempt } from '../delivery-log.ts'
import { type Target, withoutSecrets } from '../target.ts'
import { isSameUrl, nameOfWebhook, type WebhookDetails } from './webhook-details.ts'
import { compareEvents } from './webhook-events.ts'

interface Wanted {
  url: string | undefined
  /** The events that the webhook must have. `undefined` if it may have any events. */
  events: readonly string[] | undefined
  /** The value of `--secret-file`, which the suggested commands repeat. */
  secretFile: string | undefined
}

/** The command that repairs the settings of a webhook. */
export function repairOf(target: Target, webhook: WebhookDetails, secretFile?: string): string {
  return ensureCommand(nameOfWebhook(target, webhook), webhook.url, secretFile)
}

/** Shows `<url>` instead of a URL that may contain a secret, or has characters that a shell would interpret. */
export function ensureCommand(name: string, url: string | undefined, secretFile?: string): string {
  const shown = withoutSecrets(url)
  const isSafe = URL.parse(url ?? '')?.href === shown && /^[\w:/.~%-]+$/.test(shown)
  const secret = secretFile === undefined ? '' : ` --secret-file ${shellQuoted(secretFile)}`
  return `npx hookserver webhooks ensure ${name}${secret} --public-url ${isSafe ? shown : '<url>'}`
}

/** A finding for each setting. */
export function settingFindings(target: Target, webhook: WebhookDetails, wanted: Wanted): Finding[] {
  const { events, secretFile } = wanted
  const repair = repairOf(target, webhook, secretFile)
  const { active, contentType, verifiesTls } = webhook
  return [
    urlFinding(target, webhook, wanted),
    events
      ? eventFinding(target, webhook, events, secretFile)
      : fine('events', webhook.events.length > 0 ? webhook.events.join(', ') : 'none'),
    ...(active === undefined ? [] : [active ? fine('active', 'yes') : failed('active', 'no', repair)]),
    contentType === 'json'
      ? fine('content', 'application/json')
      : warning('content', 'a form: hookserver reads it, but JSON is smaller', repair),
    verifiesTls
      ? fine('TLS', "GitHub checks the server's certificate")
      : failed('TLS', 'GitHub does not check the certificate of the server', repair),
  ]
}

function urlFinding(target: Target, webhook: WebhookDetails, { url, secretFile }: Wanted): Finding {
  const what = 'url'
  const shown = withoutSecrets(webhook.url)
  if (url !== undefined && !isSameUrl(webhook.url, url)) {
    const repair = ensureCommand(nameOfWebhook(target, webhook), url, secretFile)
    return failed(what, `${shown}, not ${withoutSecrets(url)}`, repair)
  }
  const { protocol, hostname } = URL.parse(webhook.url) ?? {}
  if (protocol === 'https:' || isLoopback(hostname ?? '')) return fine(what, shown)
  return warning(what, `${shown} is not encrypted`, 'give the server a certificate, and use its https URL')
}

/** Compares the events of a webhook with those that the handlers need. */
export function eventFinding(
  target: Target,
  webhook: WebhookDetails,
  wanted: readonly string[],
  secretFile?: string,
): Finding {
  const what = 'events'
  const { missing, unneeded } = compareEvents(webhook.events, wanted)
  const page = webhook.eventsPage
  const repair = page
    ? `choose the events on ${page}`
    : `${repairOf(target, webhook, secretFile)} --events ${quoted(wanted)}`
  if (missing.includes('*') && target === 'app') {
    return warning(
      what,
      `${webhook.events.join(', ') || 'none'}: an App cannot subscribe to all events at once`,
      repair,
    )
  }
  if (missing.length > 0) return failed(what, `missing: ${missing.join(', ')}`, repair)
  if (unneeded.includes('*'))
    return warning(what, `all events, with handlers only for: ${wanted.join(', ') || 'none'}`, repair)
  if (unneeded.length > 0) return warning(what, `without a handler: ${unneeded.join(', ')}`, repair)
  return fine(what, webhook.events.join(', ') || 'none')
}

/** The events as an argument. `*` is in quotes, because a shell would expand it to the names of files. */
const quoted = (events: readonly string[]): string => (events.includes('*') ? "'*'" : events.join(','))

/** Counts the failures among the newest deliveries in the log. */
export function deliveriesFinding(
  target: Target,
  webhook: WebhookDetails,
  newest: readonly LoggedAttempt[],
  now: number,
): Finding {
  const what = 'deliveries'
  const [last] = newest
  if (!last) return fine(what, 'none in the log')
  const failures = newest.filter(({ ok }) => !ok)
  const [failure] = failures
  if (!failure) return fine(what, `${plural(newest.length, 'delivery', 'deliveries')} in the log, all accepted`)
  const found = `${failures.length} of the last ${newest.length} failed, one ${formatAge(failure.deliveredAt, now)} ago: ${failure.status}`
  const recover = `recover them: npx hookserver recover ${nameOfWebhook(target, webhook)}`
  return last.ok
    ? warning(what, found, recover)
    : failed(what, found, `find the cause in the log of the server, then ${recover}`)
}

/** The findings that matter to a server that polls, besides a missing webhook. */
const neededToPull: readonly string[] = ['events', 'active']

/**
 * Whether a finding matters to a server that reads deliveries from GitHub's log, with `--pull`. The other findings only
 * make deliveries to the webhook's URL fail, and the log has the failed deliveries too.
 */
export const isNeededToPull = ({ what, state }: Finding): boolean =>
  neededToPull.includes(what) || (what === 'url' && state === 'failed') // no webhook, so no log to read
