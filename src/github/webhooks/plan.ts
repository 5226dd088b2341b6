/** Selects the webhook of a command, and decides what `webhooks ensure` and `webhooks rotate` change. Sends no requests. */
import { nameOfTarget, type Target, withoutSecrets } from '../target.ts'
import type { SecretProof } from './secret-proof.ts'
import { isSameUrl, nameOfWebhook, type WebhookDetails, type WebhookSettings } from './webhook-details.ts'

interface Change {
  property: 'url' | 'events' | 'active' | 'content type' | 'TLS checks' | 'secret'
  /** `undefined` for a webhook that does not exist yet. */
  from: string | undefined
  to: string
}

export interface WebhookPlan {
  action: 'create' | 'update' | 'keep'
  /** The webhook as it is now. `undefined` if it does not exist yet. */
  webhook: WebhookDetails | undefined
  /** All settings after the change. */
  settings: WebhookSettings
  changes: Change[]
}

/** The goal of a plan. */
interface WantedWebhook {
  url: string
  /** `undefined`: keep those of the webhook. */
  events: readonly string[] | undefined
  /** Where our secret comes from. */
  secretSource: string
}

/**
 * Selects a webhook of a target. For `app`: the App's webhook. For a target with an `id`: the webhook with this id. For
 * any other target: the only webhook that delivers to `url`. If `url` is `undefined`: the only webhook.
 * @returns `undefined` if there is none.
 * @throws {AmbiguousWebhook} if several match. @throws {Error} if there is no webhook with the id of the target.
 */
export function selectWebhook(
  webhooks: readonly WebhookDetails[],
  target: Target,
  url: string | undefined,
): WebhookDetails | undefined {
  const name = nameOfTarget(target)
  if (target === 'app') return webhooks[0]
  if (target.id !== undefined) {
    const named = webhooks.find(({ id }) => id === target.id)
    if (named) return named
    const known = webhooks.length > 0 ? `. Its webhooks: ${listOf(webhooks, target)}` : ', and no other webhook'
    throw new Error(`${name} has no webhook with the id ${target.id}${known}`)
  }
  const matching = url === undefined ? webhooks : webhooks.filter((one) => isSameUrl(one.url, url))
  if (matching.length < 2) return matching[0]
  throw new AmbiguousWebhook(matching, target, url)
}

/** Several webhooks match, but the command needs exactly one. */
export class AmbiguousWebhook extends Error {
  /** The problem on one line. */
  readonly found: string
  readonly cure: string

  constructor(webhooks: readonly WebhookDetails[], target: Target, url: string | undefined) {
    const name = nameOfTarget(target)
    const title = `${name} has ${webhooks.length} webhooks${url === undefined ? '' : ` that deliver to ${withoutSecrets(url)}`}`
    const [first] = webhooks as [WebhookDetails]
    const cure = `Choose one by its id, such as ${nameOfWebhook(target, first)}, or delete one: npx hookserver webhooks delete ${name}#<id>`
    super([`${title}:`, ...webhooks.map((one) => `  ${summaryOf(one, target)}`), cure].join('\n'))
    this.found = `${title}: ${listOf(webhooks, target)}`
    this.cure = cure
  }
}

const listOf = (webhooks: readonly WebhookDetails[], target: Target): string =>
  webhooks.map((one) => `${nameOfWebhook(target, one)} (${withoutSecrets(one.url)})`).join(', ')

function summaryOf(webhook: WebhookDetails, target: Target): string {
  const state = webhook.active ? 'active' : 'inactive'
  return `${nameOfWebhook(target, webhook)}  ${withoutSecrets(webhook.url)}  ${webhook.events.join(', ')}  ${state}`
}

/** @param proof Which secret GitHub signs with; `undefined` if no delivery shows it. */
export function planWebhook(
  webhook: WebhookDetails | undefined,
  { url, events, secretSource }: WantedWebhook,
  proof: SecretProof | undefined,
): WebhookPlan {
  const settings = {
    url,
    events: events ?? webhook?.events ?? [],
    active: true,
    contentType: 'json',
    verifiesTls: true,
  } as const
  const [before, after] = [webhook && shownSettings(webhook), shownSettings(settings)]
  const isChanged: Readonly<Record<keyof ShownSettings, boolean>> = {
    // Compares the URLs, because those in `before` and `after` lack the query, which may have changed.
    url: !webhook || !isSameUrl(webhook.url, url),
    events: before?.events !== after.events,
    active: before?.active !== after.active,
    'content type': before?.['content type'] !== after['content type'],
    'TLS checks': before?.['TLS checks'] !== after['TLS checks'],
  }
  const changes: Change[] = shownProperties
    .filter((property) => isChanged[property])
    .map((property) => ({ property, from: before?.[property], to: after[property] }))
  const secret = webhook && currentSecret(webhook, proof)
  if (!webhook || secret !== undefined) changes.push({ property: 'secret', from: secret, to: `from ${secretSource}` })
  const action = webhook ? (changes.length > 0 ? 'update' : 'keep') : 'create'
  return { action, webhook, settings, changes }
}

const shownProperties = ['url', 'events', 'active', 'content type', 'TLS checks'] as const
type ShownSettings = Record<(typeof shownProperties)[number], string>

function shownSettings({
  url,
  events,
  active,
  contentType,
  verifiesTls,
}: WebhookDetails | WebhookSettings): ShownSettings {
  return {
    url: withoutSecrets(url),
    events: events.toSorted().join(', '),
    active: active === false ? 'no' : 'yes', // GitHub does not show this setting for an App
    'content type': contentType,
    'TLS checks': verifiesTls ? 'on' : 'off',
  }
}

/** A description of the secret that GitHub has, if it must be replaced. `undefined` if it is ours. */
function currentSecret({ hasSecret }: WebhookDetails, proof: SecretProof | undefined): string | undefined {
  if (!hasSecret || proof?.signedWith === 'no secret') return 'none'
  if (proof?.signedWith === 'our secret') return undefined
  if (!proof) return 'not proved: no delivery shows it'
  if (proof.receiver === 'wrong_signature') return "not one of yours (the receiver rejects GitHub's signatures)"
  if (proof.receiver === 'accepted') return 'probably not one of yours, although the receiver accepts deliveries'
  return 'probably not one of yours'
}

/**
 * The next step of a rotation of the secret:
 * - `start`: add a new secret to the file, then set it on GitHub.
 * - `continue`: an interrupted rotation added a secret that GitHub does not use yet: set it on GitHub.
 * - `finish`: GitHub signs with the newest secret, and the command may drop the old ones: drop them.
 */
export type Rotation = 'start' | 'continue' | 'finish'

/**
 * @param count The number of secrets in the file. The newest is the first.
 * @param used The index of the secret that GitHub signs with, if that is known.
 * @param dropOld Whether the command may drop the old secrets.
 */
export function planRotation(count: number, used: number | undefined, dropOld: boolean): Rotation {
  if (used !== undefined && used > 0) return 'continue'
  return used === 0 && count > 1 && dropOld ? 'finish' : 'start'
}
