/** Finds webhooks through GitHub's API: all webhooks of a target, or those that recovery and polling use. */
import { type Requester, readList } from '../requester.ts'
import { hooksPath, nameOfTarget, type Target } from '../target.ts'
import { explainDeniedAccess } from './denied-access.ts'
import { detailsIn, isSameUrl, nameOfWebhook, type WebhookDetails } from './webhook-details.ts'

/** A webhook, as recovery and polling need it. */
export interface Webhook {
  /** The name of its target. */
  target: string
  /** `X-GitHub-Hook-ID`; `undefined` for the App's webhook, because only its deliveries show the id. */
  id: string | undefined
  /** The path of its delivery log in GitHub's API. */
  path: string
}

/** All webhooks of a repository or an organization. */
export async function listWebhooks(target: Target, github: Requester): Promise<WebhookDetails[]> {
  return (await readList(github, hooksPath(target))).map(detailsIn)
}

/**
 * The webhooks of a target. For `app`: the App's webhook. For a target with an `id`: the webhook with this id. For any
 * other target: all of its webhooks that deliver to `url`, or without `url` its only webhook.
 * @throws {Error} with a message for the operator. {@link UnclearWebhook} if there are several to choose from.
 */
export async function findWebhooks(target: Target, url: string | undefined, github: Requester): Promise<Webhook[]> {
  const named = webhookWithId(target)
  if (named) return [named]
  if (url === undefined) return [await findOnlyWebhook(target, github)]
  const name = nameOfTarget(target)
  const webhooks = await readWebhooks(target, github)
  const ours = webhooks.filter((webhook) => isSameUrl(webhook.url, url))
  if (ours.length === 0) {
    const setting = '--public-url or the option "publicUrl"' // not the URL, which may be secret
    throw new Error(`${name} has no webhook for the given URL: check ${setting}`)
  }
  return ours.map(({ id }) => webhookOf(target, id))
}

/**
 * The webhook of a target. For `app`: the App's webhook. For a target with an `id`: the webhook with this id. For any
 * other target: its only webhook.
 * @throws {Error} with a message for the operator. {@link UnclearWebhook} if there are several to choose from.
 */
export async function findOnlyWebhook(target: Target, github: Requester): Promise<Webhook> {
  const named = webhookWithId(target)
  if (named) return named
  const name = nameOfTarget(target)
  const webhooks = await readWebhooks(target, github)
  const [only] = webhooks
  if (!only) {
    const command = `npx hookserver webhooks ensure ${name} --public-url https://… --module hooks.ts`
    throw new Error(`${name} has no webhook: create one with "${command}"`)
  }
  if (webhooks.length === 1) return webhookOf(target, only.id)
  throw new UnclearWebhook(target, webhooks)
}

/** The name of a target does not say which of its webhooks to use. */
export class UnclearWebhook extends Error {
  constructor(target: Target, webhooks: readonly WebhookDetails[]) {
    // Without the paths, because the text is logged, and a path may be secret.
    const all = webhooks.map((one) => `${nameOfWebhook(target, one)} (${hostOf(one.url)})`).join(', ')
    super(`${nameOfTarget(target)} has ${webhooks.length} webhooks. Choose one by its id: ${all}`)
  }
}

const hostOf = (url: string): string => URL.parse(url)?.host ?? 'no URL'

function webhookWithId(target: Target): Webhook | undefined {
  if (target === 'app') return { target: 'app', id: undefined, path: '/app/hook/deliveries' }
  return target.id === undefined ? undefined : webhookOf(target, target.id)
}

function webhookOf(target: Target, id: string | undefined): Webhook {
  return { target: nameOfTarget(target), id: id ?? '', path: `${hooksPath(target)}/${id}/deliveries` }
}

/** @throws {Error} with a message for the operator. */
async function readWebhooks(target: Target, github: Requester): Promise<WebhookDetails[]> {
  try {
    return await listWebhooks(target, github)
  } catch (error) {
    const denial = explainDeniedAccess(error, target, 'read')
    throw denial === undefined ? error : new Error(denial, { cause: error })
  }
}
