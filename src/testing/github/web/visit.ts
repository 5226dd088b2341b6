import type { Reply } from '../http/reply.ts'
import type { LocalGitHubRequest } from '../options.ts'
import type { DeliverySender } from '../sending/delivery-sender.ts'
import type { Account } from '../world/repository.ts'
import type { World } from '../world/world.ts'

/** One page for a browser, where `world.visitor` is logged in. */
export interface Page {
  method: 'GET' | 'POST'
  /** The path in the notation of OpenAPI. */
  path: string
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
}

/**
 * The organization that the path names, which is created if the account does not exist. Without a name: the user.
 * @returns `undefined` if the account that the path names is not an organization.
 */
export function accountIn({ world, parameters: { org } }: Visit): Account | undefined {
  if (org === undefined) return world.user
  const account = world.findAccount(org) ?? world.account(org, 'Organization')
  return account.type === 'Organization' ? account : undefined
}
