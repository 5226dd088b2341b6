import { isObject, type Json, textIn } from '../../../runtime/json.ts'
import type { Reply } from '../http/reply.ts'
import type { LocalGitHubRequest } from '../options.ts'
import type { DeliverySender } from '../sending/delivery-sender.ts'
import type { App } from '../world/app.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { type Html, html } from './html.ts'

/** One page for a browser, where `world.visitor` is logged in. */
export interface Page {
  method: 'GET' | 'POST'
  /** The path in the notation of OpenAPI. */
  path: string
  /** Whether a page of another site may send a form to it. It must then change nothing. */
  acceptsForeignForms?: boolean
  answer(visit: Visit): Reply
}

/** The data of one request that pages need. */
export interface Visit {
  world: World
  sender: DeliverySender
  url: URL
  headers: LocalGitHubRequest['headers']
  /** Values of the path's `{names}`. */
  parameters: Readonly<Record<string, string>>
  /** The fields of a form. */
  form: URLSearchParams
  /**
   * Sends a request to the API, so that a page has no effect that the API does not have.
   * @param what The method and the path: `POST /repos/acme/shop/issues`.
   * @param app The App that sends the request. Default: the user.
   */
  request(what: string, body?: Json, app?: App): Reply
}

/** Whether a request to the API has succeeded. */
export const isDone = ({ status }: Reply): boolean => status < 300

/** The message of a reply of the API that is an error. */
export function problemIn({ body }: Reply): Html {
  const { message = '', errors = [] } = (body ?? {}) as { message?: string; errors?: unknown }
  const details = (Array.isArray(errors) ? errors : [errors]).map((error: unknown) => {
    if (!isObject(error)) return String(error)
    return textIn(error, 'message') ?? `${textIn(error, 'field')}: ${textIn(error, 'code')}`
  })
  return html`<p role="alert">${[message, ...details].join('. ')}</p>`
}

/** The repository that the path names. A page with a repository in its path exists only if the repository exists. */
export const repositoryIn = ({ world, parameters: { owner, repo } }: Visit): Repository =>
  world.findRepository(`${owner}/${repo}`) as Repository

/** The path of the pages of a repository. */
export const pathOf = ({ fullName }: Repository): string => `/${fullName.split('/').map(encodeURIComponent).join('/')}`

/**
 * The organization that the path names. If it does not exist, its id is 0, and only the registration of an App creates it:
 * another site can cause the request for a page. Without a name: the user.
 * @returns `undefined` if the account that the path names is not an organization.
 */
export function accountIn({ world, parameters: { org } }: Visit): Account | undefined {
  if (org === undefined) return world.user
  const account = world.findAccount(org) ?? { id: 0, login: org, type: 'Organization' }
  return account.type === 'Organization' ? account : undefined
}
