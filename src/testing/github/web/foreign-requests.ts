import type { Reply } from '../http/reply.ts'
import type { LocalGitHubRequest } from '../options.ts'
import { html, page } from './html.ts'
import type { Page } from './visit.ts'

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']

/**
 * Rejects a request that another site causes in the user's browser: the user is always signed in, so any site could
 * otherwise write in the user's name. The name of the host shows whether a site has given its own name the address of
 * this machine (DNS rebinding). A client that is not a browser sends no `Origin`.
 */
export function rejectForeign(
  { method, headers }: LocalGitHubRequest,
  { acceptsForeignForms = false }: Page,
): Reply | undefined {
  const { host, origin } = headers
  const name = URL.parse(`http://${host}`)?.hostname ?? ''
  if (!loopbackNames.includes(name)) {
    return page(403, 'Forbidden', html`<p>Open this page at 127.0.0.1 or localhost, not at ${name}.</p>`)
  }
  if (method !== 'POST' || acceptsForeignForms || origin === undefined || origin === `http://${host}`) return undefined
  return page(403, 'Forbidden', html`<p>Forms of other sites are not accepted.</p>`)
}
