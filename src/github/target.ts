import { PatientRequester, type Requester, type RequestFailure } from './requester.ts'
import type { Timing } from './timing.ts'

/** Whose webhooks are looked at: a repository's, an organization's, or the App's own. */
export type Target = 'app' | { repository: string; id?: number } | { organization: string; id?: number }

/** One hook whose deliveries come to this server. */
export interface WatchedHook {
  target: string
  /** `X-GitHub-Hook-ID`; `undefined` until a delivery of the App's hook has been looked at, since its API does not say. */
  id: string | undefined
  /** Of its log. */
  path: string
}

/** Without the id. */
export const nameOf = (target: Target): string =>
  target === 'app' ? 'app' : 'repository' in target ? target.repository : target.organization

/** As `parseTarget` reads it. */
export const textOf = (target: Target): string =>
  target === 'app' || target.id === undefined ? nameOf(target) : `${nameOf(target)}#${target.id}`

/** `acme/shop`, `acme` or `app`; with `#1` the hook of that id alone. `undefined` for anything else. */
export function parseTarget(text: string): Target | undefined {
  if (text === 'app') return 'app'
  const [, owner, repository, id] = /^([\w-]{1,39})(?:\/([\w.-]{1,100}))?(?:#(\d{1,15}))?$/.exec(text) ?? []
  if (owner === undefined) return undefined
  const hook = id === undefined ? {} : { id: Number(id) }
  return repository === undefined ? { organization: owner, ...hook } : { repository: `${owner}/${repository}`, ...hook }
}

/**
 * The hooks of a target: the one that was named, or those whose deliveries come to `url`.
 * @throws {Error} in words for whoever named it.
 */
export async function findHooks(
  target: Target,
  { github, url, signal, timing }: { github: Requester; url: string | undefined; signal: AbortSignal; timing?: Timing },
): Promise<WatchedHook[]> {
  const named = namedHook(target)
  if (named) return [named]
  const name = nameOf(target)
  if (url === undefined) {
    throw new Error(`Which hook of ${name} is it? Name it (${name}#<id>), or the address that GitHub delivers to`)
  }
  const hooks = await listHooks(target, new PatientRequester(github, signal, timing))
  const ours = hooks.filter(({ config }) => URL.parse(config?.url ?? '')?.href === URL.parse(url)?.href)
  if (ours.length === 0) throw new Error(`${name} has no webhook that delivers to ${url}`)
  return ours.map(({ id }) => hookOf(target, id))
}

/**
 * The hook of a target: the one that was named, or the only one that there is.
 * @throws {Error} in words for whoever named it.
 */
export async function findHook(target: Target, github: Requester): Promise<WatchedHook> {
  const named = namedHook(target)
  if (named) return named
  const name = nameOf(target)
  const hooks = await listHooks(target, github)
  const [only] = hooks
  if (!only) throw new Error(`${name} has no webhook: make one on GitHub, under Settings, Webhooks`)
  if (hooks.length === 1) return hookOf(target, only.id)
  const all = hooks.map(({ id, config }) => `${name}#${id} (${shown(config?.url)})`).join(', ')
  throw new Error(`${name} has ${hooks.length} webhooks, of which one has to be named: ${all}`)
}

function namedHook(target: Target): WatchedHook | undefined {
  if (target === 'app') return { target: 'app', id: undefined, path: '/app/hook/deliveries' }
  return target.id === undefined ? undefined : hookOf(target, target.id)
}

function hookOf(target: Target, id: number): WatchedHook {
  return { target: nameOf(target), id: String(id), path: `${pathOf(target)}/${id}/deliveries` }
}

function pathOf(target: Target): string {
  const name = nameOf(target)
  return typeof target === 'object' && 'repository' in target ? `/repos/${name}/hooks` : `/orgs/${name}/hooks`
}

/** Without what may be a secret in it. */
function shown(url = ''): string {
  const { origin, pathname } = URL.parse(url) ?? { origin: 'no address', pathname: '' }
  return origin + pathname
}

interface ListedHook {
  id: number
  config?: { url?: string }
}

/** Hooks in a page; nobody may have more than 20 for an event. */
const pageSize = 100

async function listHooks(target: Target, github: Requester): Promise<ListedHook[]> {
  const hooks: ListedHook[] = []
  try {
    for (let page = 1, full = true; full; page++) {
      const { data } = await github.request(`GET ${pathOf(target)}`, { per_page: pageSize, page })
      hooks.push(...(data as ListedHook[]))
      full = (data as ListedHook[]).length === pageSize
    }
  } catch (error) {
    const { status } = error as RequestFailure
    if (status !== 403 && status !== 404) throw error
    const cure = 'it must be spelt so, and the token needs the permission "Webhooks"'
    throw new Error(`GitHub shows no webhooks of ${nameOf(target)} (${status}): ${cure}`, { cause: error })
  }
  return hooks
}
