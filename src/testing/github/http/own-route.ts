import { actorOf } from '../auth/caller.ts'
import type { LocalGitHubRequest } from '../options.ts'
import type { Reply } from './reply.ts'
import type { LocalRouteMethod, Route } from './route.ts'

/** A request to a route that `LocalGitHub.route()` added. */
export interface LocalRouteCall {
  /** Values of the path's `{names}`. */
  parameters: Readonly<Record<string, string>>
  /** The parsed query of the URL. */
  query: URLSearchParams
  /** By their names in lower case. */
  headers: LocalGitHubRequest['headers']
  /** The members of the JSON body. */
  body: Readonly<Record<string, unknown>>
  /** The user or the bot that sends the request. `undefined`: an anonymous caller, or an App with its JWT. */
  login: string | undefined
}

/** The response of a route that `LocalGitHub.route()` added. */
export interface LocalRouteReply {
  /** Default: 200. */
  status?: number
  /** Default: none of its own. */
  headers?: Record<string, string>
  /** JSON. Default: none. */
  body?: unknown
}

/** The permission that a caller of the route needs. */
export interface LocalRouteOptions {
  /** The permission that a caller needs, with the level `read` for GET and `write` for other methods. Default: none. */
  permission?: string
}

/** Makes a route like the built-in ones. If `answer` throws, the route answers 500 with the message of the error. */
export function ownRoute(
  method: LocalRouteMethod,
  path: string,
  answer: (call: LocalRouteCall) => LocalRouteReply,
  { permission }: LocalRouteOptions,
): Route {
  return {
    ...{ method, path },
    access: permission === undefined ? 'anyone' : { permission, level: method === 'GET' ? 'read' : 'write' },
    answer({ parameters, url, headers, body, caller }): Reply {
      const named = caller.kind === 'user' || caller.kind === 'installation'
      const login = named ? actorOf(caller).login : undefined
      try {
        return { status: 200, ...answer({ parameters, query: url.searchParams, headers, body, login }) }
      } catch (error) {
        return { status: 500, body: { message: `The route ${method} ${path} failed: ${(error as Error).message}` } }
      }
    },
  }
}
