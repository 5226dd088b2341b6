/** Names the cure of mistakes in handlers: a wrong name of a method of an Octokit, and a missing permission. */
import type { Octokit } from 'octokit'
import { cutStack } from '../runtime/call-site.ts'
import { isObject } from '../runtime/json.ts'
import { suggestion } from '../runtime/nearest.ts'
import { isGranted } from './app/permission-levels.ts'
import type { Permissions } from './event-permissions.ts'
import { gitHubMessage, type RequestError } from './requester.ts'

/**
 * Makes `octokit.rest.isues.create` an error that names `issues`. JavaScript would say "Cannot read properties of
 * undefined". A name that is not similar to any other stays `undefined`, so that a program can test for a method.
 */
export function withCheckedNames(octokit: Octokit): Octokit {
  const own = octokit as { rest?: unknown }
  const { rest } = own
  if (!isObject(rest)) return octokit
  own.rest = checked('octokit.rest', rest)
  for (const name of Object.keys(rest)) {
    if (!(name in octokit)) Object.defineProperty(octokit, name, withoutRest(name)) // the class of the user may have it
  }
  return octokit
}

/** Makes `octokit.issues` an error that names `octokit.rest.issues`. */
const withoutRest = (name: string): PropertyDescriptor => ({
  configurable: true,
  get() {
    throw new TypeError(`This Octokit has no "${name}": use octokit.rest.${name}`)
  },
})

/** @param path How a program writes the object. */
function checked<Target extends object>(path: string, object: Target): Target {
  const scopes = new Map<string, object>()
  const handler: ProxyHandler<Target> = {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof name !== 'string') return value
      if (isObject(value)) {
        const scope = scopes.get(name) ?? checked(`${path}.${name}`, value)
        scopes.set(name, scope)
        return scope
      }
      const hint = value === undefined ? suggestion(name, Object.keys(target)) : ''
      if (hint === '') return value
      const error = new TypeError(`${path} has no "${name}".${hint}`)
      cutStack(error, handler.get)
      throw error
    },
  }
  return new Proxy(object, handler)
}

/**
 * If GitHub denied a request because of a permission, adds to the message of the error what to do.
 * @param granted The permissions of the installation, if it is known. If it has the permission, it lacks the repository.
 */
export function explainDenied(error: unknown, granted?: Permissions): void {
  if (!(error instanceof Error)) return
  const { status, response, request } = error as Error & Denied
  const needed = (response?.headers as Record<string, string | undefined> | undefined)?.[
    'x-accepted-github-permissions'
  ]
  const [, client] =
    /^Resource not accessible by (integration|personal access token)/.exec(
      gitHubMessage(error as Error & RequestError) ?? '',
    ) ?? []
  if (status !== 403 || !needed || !client) return
  const { message, stack } = error
  error.message = `${message}. ${client === 'integration' ? cureOfApp(needed, request?.url, granted) : cureOfToken(needed)}`
  if (stack) error.stack = stack.replace(message, () => error.message)
}

interface Denied extends RequestError {
  request?: { url?: string }
}

function cureOfApp(needed: string, url: string = '', granted: Permissions = {}): string {
  const [, repository] = /\/repos\/([^/]+\/[^/?]+)/.exec(url) ?? []
  return repository !== undefined && isGranted(needed, granted)
    ? `The App has the permission ${needed}, so its installation may lack ${repository}: see Repository access on the page of the installation`
    : `The App needs the permission ${needed}: declare it in config.permissions, then add it on the page that "npx hookserver app diff --open" opens`
}

const cureOfToken = (needed: string): string =>
  `The token needs the permission ${needed}: add it on GitHub, under Settings, Developer settings`
