import type { Account } from '../world/repository.ts'
import type { World } from '../world/world.ts'

/** The id in GitHub's GraphQL API. */
export const nodeId = (kind: string, id: number): string => Buffer.from(`0:${kind}${id}`).toString('base64')

export function simpleUser({ api, origin }: World, { id, login, type }: Account): object {
  const url = `${api}/users/${encodeURIComponent(login)}`
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `${origin}/avatars/u/${id}`,
    gravatar_id: '',
    url,
    html_url: `${origin}/${encodeURIComponent(login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    site_admin: false,
  }
}

/** An organization, as payloads of events and short answers show it. */
export function organizationShape({ api, origin }: World, { id, login }: Account): object {
  const url = `${api}/orgs/${encodeURIComponent(login)}`
  return {
    ...{ login, id, node_id: nodeId('Organization', id), url, repos_url: `${url}/repos`, events_url: `${url}/events` },
    ...{ hooks_url: `${url}/hooks`, issues_url: `${url}/issues`, members_url: `${url}/members{/member}` },
    ...{ public_members_url: `${url}/public_members{/member}`, avatar_url: `${origin}/avatars/u/${id}` },
    description: null,
  }
}

/** The address of a user in commits. */
export const emailOf = ({ id, login }: Account): string => `${id}+${login}@users.noreply.github.com`

/** The path of the settings of an account. */
export const settingsOf = ({ login, type }: Account): string =>
  type === 'Organization' ? `/organizations/${encodeURIComponent(login)}/settings` : '/settings'

/** The public profile of a user. */
export function publicUser(world: World, account: Account): object {
  const since = '2008-01-14T04:33:35Z'
  return {
    ...simpleUser(world, account),
    ...{ user_view_type: 'public', name: account.login, company: null, blog: '', location: null, email: null },
    ...{ hireable: null, bio: null, twitter_username: null },
    ...{ public_repos: 0, public_gists: 0, followers: 0, following: 0, created_at: since, updated_at: since },
  }
}
