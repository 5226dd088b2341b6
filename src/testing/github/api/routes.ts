import type { Access, Route } from '../http/route.ts'
import * as apps from './apps.ts'
import * as deliveries from './deliveries.ts'
import * as hooks from './hooks.ts'
import * as installations from './installations.ts'
import { getMembership, getOwnMembership } from './members.ts'
import { getMeta, getRepository, getUser } from './reading.ts'
import { repositoryRoutes } from './repository-routes.ts'
import { searchCode, searchIssues, searchRepositories } from './search.ts'

const may = (permission: string, level: 'read' | 'write'): Access => ({ permission, level })

/** The webhooks of a repository or an organization. */
function hookRoutes(root: string, permission: string): Route[] {
  const [reading, writing] = [may(permission, 'read'), may(permission, 'write')]
  const hook = `${root}/hooks/{hook_id}`
  return [
    { method: 'GET', path: `${root}/hooks`, access: reading, answer: hooks.listHooks },
    { method: 'POST', path: `${root}/hooks`, access: writing, answer: hooks.createHook },
    { method: 'GET', path: hook, access: reading, answer: hooks.getHook },
    { method: 'PATCH', path: hook, access: writing, answer: hooks.updateHook },
    { method: 'DELETE', path: hook, access: writing, answer: hooks.deleteHook },
    { method: 'POST', path: `${hook}/pings`, access: reading, answer: hooks.pingHook },
    ...configAndDeliveries(hook, reading, writing),
  ]
}

/** The routes that exist for every webhook, including that of an App. */
function configAndDeliveries(hook: string, reading: Access, writing: Access): Route[] {
  const delivery = `${hook}/deliveries/{delivery_id}`
  return [
    { method: 'GET', path: `${hook}/config`, access: reading, answer: hooks.getConfig },
    { method: 'PATCH', path: `${hook}/config`, access: writing, answer: hooks.updateConfig },
    { method: 'GET', path: `${hook}/deliveries`, access: reading, answer: deliveries.listDeliveries },
    { method: 'GET', path: delivery, access: reading, answer: deliveries.getDelivery },
    { method: 'POST', path: `${delivery}/attempts`, access: writing, answer: deliveries.redeliver },
  ]
}

const repository = '/repos/{owner}/{repo}'
const installation = '/app/installations/{installation_id}'

/** Apps and their installations. */
const appRoutes: readonly Route[] = [
  { method: 'POST', path: '/app-manifests/{code}/conversions', access: 'anyone', answer: apps.convertManifest },
  { method: 'GET', path: '/app', access: 'app', answer: apps.getApp },
  { method: 'GET', path: '/apps/{app_slug}', access: 'anyone', answer: apps.getAppBySlug },
  { method: 'GET', path: '/app/installations', access: 'app', answer: installations.listInstallations },
  { method: 'GET', path: installation, access: 'app', answer: installations.getInstallation },
  { method: 'DELETE', path: installation, access: 'app', answer: installations.deleteInstallation },
  { method: 'PUT', path: `${installation}/suspended`, access: 'app', answer: installations.suspendInstallation },
  { method: 'DELETE', path: `${installation}/suspended`, access: 'app', answer: installations.unsuspendInstallation },
  { method: 'POST', path: `${installation}/access_tokens`, access: 'app', answer: apps.createToken },
  { method: 'GET', path: `${repository}/installation`, access: 'app', answer: installations.getRepositoryInstallation },
  { method: 'GET', path: '/orgs/{org}/installation', access: 'app', answer: installations.getAccountInstallation },
  {
    method: 'GET',
    path: '/users/{username}/installation',
    access: 'app',
    answer: installations.getAccountInstallation,
  },
  {
    method: 'GET',
    path: '/installation/repositories',
    access: 'installation',
    answer: apps.listInstallationRepositories,
  },
]

export const routes: readonly Route[] = [
  { method: 'GET', path: '/meta', access: 'anyone', answer: getMeta },
  { method: 'GET', path: '/user', access: 'user', answer: getUser },
  { method: 'GET', path: repository, access: 'anyone', answer: getRepository },
  ...repositoryRoutes,
  { method: 'GET', path: '/search/issues', access: 'anyone', answer: searchIssues },
  { method: 'GET', path: '/search/repositories', access: 'anyone', answer: searchRepositories },
  { method: 'GET', path: '/search/code', access: 'anyone', answer: searchCode },
  {
    method: 'GET',
    path: '/orgs/{org}/teams/{team_slug}/memberships/{username}',
    access: may('members', 'read'),
    answer: getMembership,
  },
  {
    method: 'GET',
    path: '/user/memberships/orgs/{org}',
    access: may('members', 'read'),
    answer: getOwnMembership,
  },
  ...hookRoutes(repository, 'repository_hooks'),
  ...hookRoutes('/orgs/{org}', 'organization_hooks'),
  ...configAndDeliveries('/app/hook', 'app', 'app'),
  ...appRoutes,
]
