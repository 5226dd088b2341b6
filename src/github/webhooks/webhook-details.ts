/** A webhook of a repository, an organization or an App, as GitHub's API shows it. The API never shows the secret. */
import { idIn, type Json, objectIn, textIn, wholeNumberIn } from '../../runtime/json.ts'
import { appsPage } from '../addresses.ts'
import { nameOfTarget, type Target } from '../target.ts'

/** The settings that `webhooks ensure` sets. */
export interface WebhookSettings {
  url: string
  events: readonly string[]
  active: boolean
  contentType: 'json' | 'form'
  /** Whether GitHub checks the certificate of the receiver. */
  verifiesTls: boolean
}

export interface WebhookDetails extends Omit<WebhookSettings, 'active'> {
  /** `undefined` for the webhook of an App, which has no id in the API. */
  id: string | undefined
  /** `undefined` for the webhook of an App: the API does not show whether it is active. */
  active: boolean | undefined
  hasSecret: boolean
  /** The response to the last delivery. GitHub shows it only for webhooks of repositories, for 30 days. */
  lastResponse: { code: number | undefined; status: string } | undefined
  /** Only for an App: the page on which its owner changes the events. GitHub's API cannot change them. */
  eventsPage?: string
}

/** Reads an item of GitHub's list of webhooks. */
export function detailsIn(item: unknown): WebhookDetails {
  const json = item as Json
  const { active, events } = json
  const last = objectIn(json, 'last_response')
  const lastStatus = textIn(last, 'status')
  return {
    ...configIn(objectIn(json, 'config') ?? {}),
    id: idIn(json),
    events: eventsIn(events),
    active: active !== false,
    lastResponse: lastStatus === undefined ? undefined : { code: wholeNumberIn(last, 'code'), status: lastStatus },
  }
}

/** Reads the configuration of an App's webhook. @param app The response of `GET /app`, which has the events. */
export function appDetailsIn(config: unknown, app: unknown): WebhookDetails {
  return {
    ...configIn(config as Json),
    events: eventsIn((app as Json).events),
    eventsPage: eventsPageOf(app as Json),
    ...{ id: undefined, active: undefined, lastResponse: undefined },
  }
}

function eventsPageOf(app: Json): string {
  const { type, login } = (objectIn(app, 'owner') ?? {}) as { type?: string; login?: string }
  const { origin = 'https://github.com' } = URL.parse(textIn(app, 'html_url') ?? '') ?? {}
  return `${appsPage(origin, type === 'Organization' ? login : undefined)}/${textIn(app, 'slug')}/permissions`
}

const eventsIn = (events: unknown): string[] => (Array.isArray(events) ? events.map(String).toSorted() : [])

export type WebhookConfig = Pick<WebhookDetails, 'url' | 'contentType' | 'verifiesTls' | 'hasSecret'>

/** Reads the configuration of a webhook. */
export function configIn(config: Json): WebhookConfig {
  return {
    url: textIn(config, 'url') ?? '',
    contentType: config.content_type === 'json' ? 'json' : 'form', // GitHub's default is the form
    verifiesTls: String(config.insecure_ssl ?? '0') === '0',
    hasSecret: Boolean(config.secret),
  }
}

/** The name of a webhook on the command line: `acme/shop#7`, `acme#7` or `app`. */
export const nameOfWebhook = (target: Target, { id }: Pick<WebhookDetails, 'id'>): string =>
  id === undefined ? nameOfTarget(target) : `${nameOfTarget(target)}#${id}`

/** Whether two texts are the same URL: `https://HOOKS.example:443/a` is `https://hooks.example/a`. */
export function isSameUrl(one: string, other: string): boolean {
  const [first, second] = [normalized(one), normalized(other)]
  return first !== undefined && first === second
}

/** The normal form of a URL, without the fragment, which no client sends. `undefined` if it is not a URL. */
function normalized(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url) return undefined
  url.hash = ''
  return url.href
}
