import { githubApi, type Settings } from '../settings.ts'
import type { RequestError, Requester } from './requester.ts'

/** The owner of webhooks: a repository, an organization, or the App itself; with an `id`, one webhook of it. */
export type Target = 'app' | { repository: string; id?: number } | { organization: string; id?: number }

/** A webhook whose deliveries this server receives. */
export interface Webhook {
  /** The name of its target. */
  target: string
  /** `X-GitHub-Hook-ID`; `undefined` for the App's webhook, because only its deliveries show the id. */
  id: string | undefined
  /** The path of its delivery log in GitHub's API. */
  path: string
}

/** Parses `acme/shop`, `acme` or `app`, with `#1` for the webhook with id 1. @returns `undefined` for other texts. */
export function parseTarget(text: string): Target | undefined {
  if (text === 'app') return 'app'
  const [, owner, repository, id] = /^([\w-]{1,39})(?:\/([\w.-]{1,100}))?(?:#(\d{1,15}))?$/.exec(text) ?? []
  if (owner === undefined) return undefined
  const hook = id === undefined ? {} : { id: Number(id) }
  return repository === undefined ? { organization: owner, ...hook } : { repository: `${owner}/${repository}`, ...hook }
}

/** The text that `parseTarget` parses. */
export const formatTarget = (target: Target): string =>
  target === 'app' || target.id === undefined ? nameOfTarget(target) : `${nameOfTarget(target)}#${target.id}`

/** The text without the id of the webhook. */
export const nameOfTarget = (target: Target): string =>
  target === 'app' ? 'app' : 'repository' in target ? target.repository : target.organization

/**
 * The webhooks of a target: the one with the target's `id` or, if there is no `id`, all that deliver to `url`.
 * @throws {Error} with a message for the operator.
 */
export async function findWebhooks(target: Target, url: string | undefined, github: Requester): Promise<Webhook[]> {
  const named = webhookWithId(target)
  if (named) return [named]
  const name = nameOfTarget(target)
  if (url === undefined) {
    throw new Error(`Which webhook of ${name}? Add its id (${name}#<id>), or set the address that GitHub delivers to`)
  }
  const hooks = await listHooks(target, github)
  const ours = hooks.filter(({ config }) => URL.parse(config?.url ?? '')?.href === URL.parse(url)?.href)
  if (ours.length === 0) throw new Error(`${name} has no webhook that delivers to ${url}`)
  return ours.map(({ id }) => webhookOf(target, id))
}

/**
 * The webhook of a target: the one with the target's `id` or, if there is no `id`, its only webhook.
 * @throws {Error} with a message for the operator.
 */
export async function findOnlyWebhook(target: Target, github: Requester): Promise<Webhook> {
  const named = webhookWithId(target)
  if (named) return named
  const name = nameOfTarget(target)
  const hooks = await listHooks(target, github)
  const [only] = hooks
  if (!only) throw new Error(`${name} has no webhook: create one on GitHub, under Settings, Webhooks`)
  if (hooks.length === 1) return webhookOf(target, only.id)
  const all = hooks.map(({ id, config }) => `${name}#${id} (${withoutSecrets(config?.url)})`).join(', ')
  throw new Error(`${name} has ${hooks.length} webhooks. Choose one by its id: ${all}`)
}

function webhookWithId(target: Target): Webhook | undefined {
  if (target === 'app') return { target: 'app', id: undefined, path: '/app/hook/deliveries' }
  return target.id === undefined ? undefined : webhookOf(target, target.id)
}

function webhookOf(target: Target, id: number): Webhook {
  return { target: nameOfTarget(target), id: String(id), path: `${hooksPath(target)}/${id}/deliveries` }
}

/** The path of the webhooks of a repository or an organization in GitHub's API. */
export function hooksPath(target: Target): string {
  const name = nameOfTarget(target)
  return typeof target === 'object' && 'repository' in target ? `/repos/${name}/hooks` : `/orgs/${name}/hooks`
}

/** The user, the password and the query of an address may be secrets. */
export function withoutSecrets(url = ''): string {
  const { origin, pathname } = URL.parse(url) ?? { origin: 'no address', pathname: '' }
  return origin + pathname
}

interface ListedHook {
  id: number
  config?: { url?: string }
}

/** Webhooks in a page: the most that GitHub allows. */
const pageSize = 100

/** All webhooks of a repository or an organization, as GitHub's API shows them. */
export async function requestHooks(target: Target, github: Requester): Promise<unknown[]> {
  const hooks: unknown[] = []
  for (let page = 1, full = true; full; page++) {
    const { data } = await github.request(`GET ${hooksPath(target)}`, { per_page: pageSize, page })
    hooks.push(...(data as unknown[]))
    full = (data as unknown[]).length === pageSize
  }
  return hooks
}

async function listHooks(target: Target, github: Requester): Promise<ListedHook[]> {
  try {
    return (await requestHooks(target, github)) as ListedHook[]
  } catch (error) {
    const { status } = error as RequestError
    if (status !== 403 && status !== 404) throw error
    const cure = 'check its spelling, and that the token or the App has the permission "Webhooks"'
    throw new Error(`GitHub shows no webhooks of ${nameOfTarget(target)} (${status}): ${cure}`, { cause: error })
  }
}

/** Why GitHub would not show the deliveries of these targets to this process, and how to change that. */
export function missingCredentials(
  targets: readonly Target[],
  { app, token, apiUrl }: Pick<Settings, 'app' | 'token' | 'apiUrl'>,
): string | undefined {
  if (app) return undefined
  const appVariables = 'GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY'
  if (targets.includes('app')) return `GitHub shows the webhook of an App to the App alone: set ${appVariables}`
  if (token !== undefined) return undefined
  const tokenVariable =
    apiUrl === githubApi ? 'GITHUB_TOKEN' : `HOOKSERVER_GITHUB_TOKEN (GITHUB_TOKEN is for ${githubApi} only)`
  return `GitHub shows webhooks only to an authorized client: set ${tokenVariable}, or ${appVariables}`
}
