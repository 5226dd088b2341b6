import { HttpError, type Reply } from '../http/reply.ts'
import type { LocalGitHubRequest } from '../options.ts'
import { html, page } from './html.ts'
import type { Page } from './visit.ts'

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']

/**
 * Rejects a request by another name than those of the loopback interface. A site can give its own name the address of
 * this machine (DNS rebinding), and could then read the API and the pages.
 */
export function rejectForeignHost({ headers: { host } }: LocalGitHubRequest): Reply | undefined {
  const name = URL.parse(`http://${host}`)?.hostname ?? ''
  if (loopbackNames.includes(name)) return undefined
  return new HttpError(403, `Send requests to 127.0.0.1 or localhost, not to ${name}`).reply
}

/**
 * Rejects a form that another site sends from the user's browser: the user is always signed in, so any site could
 * otherwise write in the user's name. A client that is not a browser sends no `Origin`.
 */
export function rejectForeignForm(
  { method, headers: { host, origin } }: LocalGitHubRequest,
  { acceptsForeignForms = false }: Page,
): Reply | undefined {
  if (method !== 'POST' || acceptsForeignForms || origin === undefined || origin === `http://${host}`) return undefined
  return page(403, 'Forbidden', html`<p>Forms of other sites are not accepted.</p>`)
}
