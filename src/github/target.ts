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

export const nameOf = (target: Target): string =>
  target === 'app' ? 'app' : 'repository' in target ? target.repository : target.organization

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
  const name = nameOf(target)
  if (target === 'app') return [{ target: name, id: undefined, path: '/app/hook/deliveries' }]
  const path = 'repository' in target ? `/repos/${target.repository}/hooks` : `/orgs/${target.organization}/hooks`
  const hookOf = (id: number): WatchedHook => ({ target: name, id: String(id), path: `${path}/${id}/deliveries` })
  if (target.id !== undefined) return [hookOf(target.id)]
  if (url === undefined) {
    throw new Error(`Which hook of ${name} is it? Name it (${name}#<id>), or the address that GitHub delivers to`)
  }
  const hooks = await listHooks(new PatientRequester(github, signal, timing), path, name)
  const ours = hooks.filter(({ config }) => URL.parse(config?.url ?? '')?.href === URL.parse(url)?.href)
  if (ours.length === 0) throw new Error(`${name} has no webhook that delivers to ${url}`)
  return ours.map(({ id }) => hookOf(id))
}

interface ListedHook {
  id: number
  config?: { url?: string }
}

/** Hooks in a page; nobody may have more than 20 for an event. */
const pageSize = 100

async function listHooks(github: Requester, path: string, name: string): Promise<ListedHook[]> {
  const hooks: ListedHook[] = []
  try {
    for (let page = 1, full = true; full; page++) {
      const { data } = await github.request(`GET ${path}`, { per_page: pageSize, page })
      hooks.push(...(data as ListedHook[]))
      full = (data as ListedHook[]).length === pageSize
    }
  } catch (error) {
    const { status } = error as RequestFailure
    if (status !== 403 && status !== 404) throw error
    const cure = 'it must be spelt so, and the token needs the permission "Webhooks"'
    throw new Error(`GitHub shows no webhooks of ${name} (${status}): ${cure}`, { cause: error })
  }
  return hooks
}
