import type { Json } from '../../../runtime/json.ts'
import type { Caller } from '../auth/caller.ts'
import type { Level } from '../auth/permissions.ts'
import type { Courier } from '../sending/courier.ts'
import type { Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import type { Reply } from './reply.ts'

/** Who may: anyone, any user, an App by its JWT, an installation, or who has a permission. */
export type Access = 'anyone' | 'user' | 'app' | 'installation' | { permission: string; level: Level }

/** One thing that can be asked for. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** As OpenAPI writes it: `/repos/{owner}/{repo}/hooks`. */
  path: string
  access: Access
  /** @throws {Refusal} */
  answer(call: Call): Reply
}

/** One request, as those that answer it need it. */
export interface Call {
  world: World
  courier: Courier
  caller: Caller
  url: URL
  /** What the path has for `{names}`. */
  parameters: Readonly<Record<string, string>>
  /** The repository that the path names, where it names one. */
  repository: Repository | undefined
  body: Json
}

/** Of a parameter that is an id. */
export const numberOf = ({ parameters }: Call, name: string): number => Number(parameters[name])

export interface Found {
  route: Route
  parameters: Record<string, string>
}

/** Finds the route for a method and a path, and what the path has for its parameters. */
export function finder(routes: readonly Route[]): (method: string, path: string) => Found | undefined {
  const compiled = routes.map((route) => ({ route, pattern: patternOf(route.path) }))
  return (method, path) => {
    for (const { route, pattern } of compiled) {
      const groups = route.method === method ? pattern.exec(path) : null
      if (groups) return { route, parameters: decoded(groups.groups ?? {}) }
    }
    return undefined
  }
}

/** Ids are numbers, and other parameters whatever has no slash. */
function patternOf(path: string): RegExp {
  const pattern = path.replace(/\{(\w+)\}/g, (_, name) => `(?<${name}>${name.endsWith('_id') ? '\\d+' : '[^/]+'})`)
  return new RegExp(`^${pattern}$`)
}

function decoded(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decode(value)]))
}

/** What cannot be decoded names nothing that there is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
