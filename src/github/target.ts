import { appWithoutDelivery } from '../app.ts'
import type { Settings } from '../settings.ts'
import { appVariables, tokenVariable } from './credential-errors.ts'

/** A repository, an organization or the App, as the owner of webhooks. With an `id`: only the webhook with this id. */
export type Target = 'app' | { repository: string; id?: string } | { organization: string; id?: string }

/**
 * Parses `app`, `acme` or `acme/shop`. The last two may end with the id of a webhook: `acme/shop#1`.
 * @returns `undefined` for other texts.
 */
export function parseTarget(text: string): Target | undefined {
  if (text === 'app') return 'app'
  const [, owner, repository, id] =
    /^([\w-]{1,39})(?:\/(?!\.\.?(?:#|$))([\w.-]{1,100}))?(?:#([1-9]\d{0,18}))?$/.exec(text) ?? []
  if (owner === undefined) return undefined
  const hook = id === undefined ? {} : { id }
  return repository === undefined ? { organization: owner, ...hook } : { repository: `${owner}/${repository}`, ...hook }
}

/** The text that `parseTarget` parses. */
export const formatTarget = (target: Target): string =>
  target === 'app' || target.id === undefined ? nameOfTarget(target) : `${nameOfTarget(target)}#${target.id}`

/** The name of a target, without the id of a webhook. */
export const nameOfTarget = (target: Target): string =>
  target === 'app' ? 'app' : 'repository' in target ? target.repository : target.organization

/** The path of the webhooks of a repository or an organization in GitHub's API. */
export function hooksPath(target: Target): string {
  const name = nameOfTarget(target)
  return typeof target === 'object' && 'repository' in target ? `/repos/${name}/hooks` : `/orgs/${name}/hooks`
}

/** A URL without user, password, query and fragment, because these may be secret. Other texts become `no URL`. */
export function withoutSecrets(url = ''): string {
  const { origin, pathname } = URL.parse(url) ?? { origin: 'no URL', pathname: '' }
  return origin + pathname
}

/**
 * Why GitHub would not show the deliveries of these targets to this process, and how to change that; `undefined` if the
 * process has the credentials.
 */
export function missingCredentials(
  targets: readonly Target[],
  { app, token, apiUrl }: Pick<Settings, 'app' | 'token' | 'apiUrl'>,
): string | undefined {
  if (appWithoutDelivery(app)) return undefined
  if (targets.includes('app')) {
    const cure = `set ${appVariables}, or create an App with "npx hookserver app create"`
    return `GitHub shows the webhook of an App to the App alone: ${cure}`
  }
  if (token !== undefined) return undefined
  return `GitHub shows webhooks only to an authorized client: set ${tokenVariable(apiUrl)}, or ${appVariables}`
}
