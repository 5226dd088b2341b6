import { type Finder, finder } from '../http/route.ts'
import { authorize, createUserToken, showAuthorization } from './authorize.ts'
import { commitFile, showCode, showFile } from './code.ts'
import { showHome } from './home.ts'
import { chooseRepositories, install, showInstallation } from './installations.ts'
import { changeIssue, openIssue, openPull, showIssue, showIssues, showPulls } from './issues.ts'
import { changeApp, downloadKey, registerApp, showApp, showManifest, showNewApp } from './new-app.ts'
import type { Page } from './visit.ts'
import { addRepositoryHook, redeliver, showDelivery, showHook, showRepositoryHooks } from './webhooks.ts'

/** The pages below the settings of the user or of an organization. @param settings The path of the settings. */
function settingsPages(settings: string): Page[] {
  return [
    { method: 'GET', path: `${settings}/apps/new`, answer: showNewApp },
    { method: 'POST', path: `${settings}/apps/new`, acceptsForeignForms: true, answer: showManifest },
    { method: 'POST', path: `${settings}/apps`, answer: registerApp },
    { method: 'GET', path: `${settings}/apps/{slug}`, answer: (visit) => showApp(visit) },
    { method: 'POST', path: `${settings}/apps/{slug}`, answer: changeApp },
    { method: 'GET', path: `${settings}/apps/{slug}/private-key.pem`, answer: downloadKey },
    { method: 'GET', path: `${settings}/apps/{slug}/permissions`, answer: (visit) => showApp(visit) },
    { method: 'GET', path: `${settings}/installations/{installation_id}`, answer: showInstallation },
  ]
}

/** The pages of a repository, at the addresses that GitHub's API names. */
const repositoryPages: readonly Page[] = [
  { method: 'GET', path: '/{owner}/{repo}', answer: (visit) => showCode(visit) },
  { method: 'POST', path: '/{owner}/{repo}/commits', answer: commitFile },
  { method: 'GET', path: '/{owner}/{repo}/blob/{branch}/{path}', answer: showFile },
  { method: 'GET', path: '/{owner}/{repo}/issues', answer: (visit) => showIssues(visit) },
  { method: 'POST', path: '/{owner}/{repo}/issues', answer: openIssue },
  { method: 'GET', path: '/{owner}/{repo}/issues/{issue_number}', answer: (visit) => showIssue(visit) },
  { method: 'POST', path: '/{owner}/{repo}/issues/{issue_number}', answer: changeIssue },
  { method: 'GET', path: '/{owner}/{repo}/pulls', answer: (visit) => showPulls(visit) },
  { method: 'POST', path: '/{owner}/{repo}/pulls', answer: openPull },
  { method: 'GET', path: '/{owner}/{repo}/pull/{issue_number}', answer: (visit) => showIssue(visit) },
  { method: 'POST', path: '/{owner}/{repo}/pull/{issue_number}', answer: changeIssue },
  { method: 'GET', path: '/{owner}/{repo}/settings/hooks', answer: (visit) => showRepositoryHooks(visit) },
  { method: 'POST', path: '/{owner}/{repo}/settings/hooks', answer: addRepositoryHook },
]

const hookPage = '/settings/hooks/{hook_id}'

/**
 * All pages. Pages and API have the same origin. No page has the path of a route, except those of a repository, which
 * exist only if the repository does.
 */
export const pages: readonly Page[] = [
  ...settingsPages('/settings'),
  ...settingsPages('/organizations/{org}/settings'),
  { method: 'GET', path: '/apps/{slug}/installations/new', answer: chooseRepositories },
  { method: 'POST', path: '/apps/{slug}/installations', answer: install },
  { method: 'GET', path: '/login/oauth/authorize', answer: showAuthorization },
  { method: 'POST', path: '/login/oauth/authorize', answer: authorize },
  { method: 'POST', path: '/login/oauth/access_token', answer: createUserToken },
  { method: 'GET', path: '/', answer: showHome },
  { method: 'GET', path: hookPage, answer: showHook },
  { method: 'GET', path: `${hookPage}/deliveries/{delivery_id}`, answer: (visit) => showDelivery(visit) },
  { method: 'POST', path: `${hookPage}/deliveries/{delivery_id}`, answer: redeliver },
  ...repositoryPages,
]

export const findPage: Finder<Page> = finder(pages)
