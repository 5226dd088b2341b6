import type { PermissionLevel } from '../../../github/event-permissions.ts'
import type { Json } from '../../../runtime/json.ts'
import type { Caller } from '../auth/caller.ts'
import type { LocalGitHubRequest } from '../options.ts'
import type { DeliverySender } from '../sending/delivery-sender.ts'
import type { Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import type { Reply } from './reply.ts'

/** Required caller: anyone, any user, an App with its JWT, an installation, or a caller with a permission. */
export type Access = 'anyone' | 'user' | 'app' | 'installation' | RequiredPermission

export interface RequiredPermission {
  permission: string
  level: PermissionLevel
  /** Other permissions. One of them at the same level is enough instead of `permission`. */
  alternatives?: readonly string[]
}

/** The HTTP method of a route. */
export type LocalRouteMethod = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface Route {
  method: LocalRouteMethod
  /** The path in the notation of OpenAPI: `/repos/{owner}/{repo}/hooks`. */
  path: string
  access: Access
  /** @throws {HttpError} */
  answer(call: Call): Reply
}

/** The data of one request that routes need. */
export interface Call {
  world: World
  sender: DeliverySender
  caller: Caller
  url: URL
  /** Values of the path's `{names}`. */
  parameters: Readonly<Record<string, string>>
  /** The repository that the path names, if any. */
  repository: Repository | undefined
  headers: LocalGitHubRequest['headers']
  body: Json
}

/** The value of an id parameter. */
export const numberOf = ({ parameters }: Call, name: string): number => Number(parameters[name])

/** A route with the parameters of a request. */
export interface Found<R> {
  route: R
  parameters: Record<string, string>
}

export type Finder<R> = (method: string, path: string) => Found<R> | undefined

/** Returns a function that finds the route of a method and a path, with its parameters. */
export function finder<R extends Pick<Route, 'method' | 'path'>>(routes: readonly R[]): Finder<R> {
  const compiled = routes.map((route) => ({ route, pattern: patternOf(route.path) }))
  return (method, path) => {
    for (const { route, pattern } of compiled) {
      const groups = route.method === method ? pattern.exec(path) : null
      if (groups) return { route, parameters: decoded(groups.groups ?? {}) }
    }
    return undefined
  }
}

/**
 * Ids and numbers are digits. A `{path}`, and a `{ref}` or `{basehead}` at the end, are anything. A `{path}` at the end may
 * also be empty, with or without the slash before it. Other parameters are anything without a slash.
 */
function patternOf(path: string): RegExp {
  const valuePattern = (name: string): string => {
    if (/_(?:id|number)$/.test(name)) return '\\d+'
    return name === 'path' || (/^(?:ref|basehead)$/.test(name) && path.endsWith(`{${name}}`)) ? '.+' : '[^/]+'
  }
  const pattern = path
    .replace(/\/\{path\}$/, '/?(?<path>(?<=/).+|$)')
    .replace(/\{(\w+)\}/g, (_, name) => `(?<${name}>${valuePattern(name)})`)
  return new RegExp(`^${pattern}$`)
}

function decoded(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decode(value)]))
}

/** Decodes a parameter. Returns it unchanged if it cannot be decoded: the route then finds nothing with this name. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
