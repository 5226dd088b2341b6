import { type Finder, finder } from '../http/route.ts'
import { authorize, createUserToken, showAuthorization } from './authorize.ts'
import { chooseRepositories, install, showInstallation } from './installations.ts'
import { registerApp, showApp, showManifest } from './new-app.ts'
import type { Page } from './visit.ts'

/** The pages below the settings of the user or of an organization. @param settings The path of the settings. */
function settingsPages(settings: string): Page[] {
  return [
    { method: 'GET', path: `${settings}/apps/new`, answer: showManifest },
    { method: 'POST', path: `${settings}/apps/new`, answer: showManifest },
    { method: 'POST', path: `${settings}/apps`, answer: registerApp },
    { method: 'GET', path: `${settings}/apps/{slug}`, answer: showApp },
    { method: 'GET', path: `${settings}/apps/{slug}/permissions`, answer: showApp },
    { method: 'GET', path: `${settings}/installations/{installation_id}`, answer: showInstallation },
  ]
}

/** All pages. No page has the path of an API route, because pages and API have the same origin. */
export const pages: readonly Page[] = [
  ...settingsPages('/settings'),
  ...settingsPages('/organizations/{org}/settings'),
  { method: 'GET', path: '/apps/{slug}/installations/new', answer: chooseRepositories },
  { method: 'POST', path: '/apps/{slug}/installations', answer: install },
  { method: 'GET', path: '/login/oauth/authorize', answer: showAuthorization },
  { method: 'POST', path: '/login/oauth/authorize', answer: authorize },
  { method: 'POST', path: '/login/oauth/access_token', answer: createUserToken },
]

export const findPage: Finder<Page> = finder(pages)
