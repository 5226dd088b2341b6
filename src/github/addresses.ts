/**
 * The addresses of GitHub's pages and of its API. Each follows from the other:
 *
 *     https://github.com       https://api.github.com
 *     https://acme.ghe.com     https://api.acme.ghe.com     GHE.com, for enterprises with data residency
 *     https://ghe.example      https://ghe.example/api/v3   GitHub Enterprise Server
 */

/** The addresses of GitHub's pages if the API has a host of its own. */
const hosted = /^https:\/\/(github\.com|[\w-]+\.ghe\.com)$/
const hostedApi = /^https:\/\/api\.(github\.com|[\w-]+\.ghe\.com)$/

/** The address of the API. @param github The address of the pages, without a path. */
export function apiUrlOf(github: string): string {
  const [, host] = hosted.exec(github) ?? []
  return host === undefined ? `${github}/api/v3` : `https://api.${host}`
}

/** The address of the pages. If `apiUrl` has none of the forms above, it is also the address of the pages. */
export function githubUrlOf(apiUrl: string): string {
  const [, host] = hostedApi.exec(apiUrl) ?? []
  return host === undefined ? apiUrl.replace(/\/api\/v3$/, '') : `https://${host}`
}

/** Whether GitHub hosts the API: that of github.com, or that of an enterprise on GHE.com. */
export const isHostedApi = (apiUrl: string): boolean => hostedApi.test(apiUrl)

/**
 * The page with the Apps of an organization. Without an organization: the page with the Apps of the user.
 * @param github The address of the pages.
 */
export function appsPage(github: string, organization: string | undefined): string {
  const owner = organization === undefined ? '' : `/organizations/${encodeURIComponent(organization)}`
  return `${github}${owner}/settings/apps`
}
