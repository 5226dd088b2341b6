/**
 * Names the cause of mistakes in handlers: a wrong name of a method of an Octokit, a missing permission, a value that a path
 * lacks, and the line that sent a request.
 */
import type { Octokit } from 'octokit'
import { cutStack } from '../runtime/call-site.ts'
import { getOrCreate } from '../runtime/get-or-create.ts'
import { isObject } from '../runtime/json.ts'
import { suggestion } from '../runtime/nearest.ts'
import { formatNeeded, isGranted } from './app/permission-levels.ts'
import type { Permissions } from './event-permissions.ts'
import { gitHubMessage, type RequestError } from './requester.ts'

/**
 * Adds the callers of a request to the stack of its error. Also makes `octokit.rest.isues.create` an error that names
 * `issues`: JavaScript would say "Cannot read properties of undefined". A name that is not similar to any other stays
 * `undefined`, so that a program can test for a method.
 */
export function withCheckedNames(octokit: Octokit): Octokit {
  const own = octokit as { rest?: unknown; request?: unknown; graphql?: unknown; paginate?: unknown }
  for (const name of ['request', 'graphql', 'paginate'] as const) {
    if (typeof own[name] === 'function') own[name] = withCallers(own[name] as Method)
  }
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

type Method = (...given: unknown[]) => unknown

/** A method whose errors have its callers in their stacks. Without this, they have only frames of Octokit and hookserver. */
function withCallers(method: Method): Method {
  const handler: ProxyHandler<Method> = {
    apply(target, owner, given) {
      const callers: { stack?: string } = {}
      cutStack(callers, handler.apply)
      const result: unknown = Reflect.apply(target, owner, given)
      if (!(result instanceof Promise)) return result
      return result.catch((error: unknown) => {
        addCallers(error, callers.stack)
        throw error
      })
    },
  }
  return new Proxy(method, handler) // not a function of our own: the method has members such as `endpoint`
}

/** Changes only errors about a response. Requests of one delivery have the reason of its aborted signal in common. */
function addCallers(error: unknown, stack: string = ''): void {
  if (!(error instanceof Error) || !error.stack || !('status' in error)) return
  const lines = error.stack.split('\n')
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !lines.includes(line))
  error.stack = [...lines, ...frames].join('\n')
}

/** @param path How a program writes the object. */
function checked<Target extends object>(path: string, object: Target): Target {
  const scopes = new Map<string, object>()
  const methods = new Map<Method, Method>()
  const handler: ProxyHandler<Target> = {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof name !== 'string') return value
      if (isObject(value)) return getOrCreate(scopes, name, () => checked(`${path}.${name}`, value))
      if (typeof value === 'function') return getOrCreate(methods, value as Method, () => withCallers(value as Method))
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
  addToMessage(error, client === 'integration' ? cureOfApp(needed, request?.url, granted) : cureOfToken(needed))
}

/**
 * If GitHub does not know the path of a request, adds to the message of the error which values the path lacks. Octokit
 * leaves out a value that is missing: `/repos///issues`.
 */
export function explainPath(error: unknown, options: Readonly<Record<string, unknown>>): void {
  if (!(error instanceof Error) || (error as Error & Denied).status !== 404) return
  const names = [...String(options.url).matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const lacking = names.filter((name) => (options[name] ?? '') === '')
  if (lacking.length === 0) return
  const cure = `pass ${lacking.length === 1 ? 'it' : 'them'} to the method`
  addToMessage(error, `The path of the request lacks ${lacking.join(' and ')}: ${cure}`)
}

function addToMessage(error: Error, text: string): void {
  const { message, stack } = error
  error.message = `${message}. ${text}`
  if (stack) error.stack = stack.replace(message, () => error.message)
}

interface Denied extends RequestError {
  request?: { url?: string }
}

function cureOfApp(needed: string, url: string = '', granted: Permissions = {}): string {
  const [, repository] = /\/repos\/([^/]+\/[^/?]+)/.exec(url) ?? []
  return repository !== undefined && isGranted(needed, granted)
    ? `The App has the permission ${formatNeeded(needed)}, so its installation may lack ${repository}: see Repository access on the page of the installation`
    : `The App needs the permission ${formatNeeded(needed)}: declare it in config.permissions, then add it on the page that "npx hookserver app diff --open" opens`
}

const cureOfToken = (needed: string): string =>
  `The token needs the permission ${formatNeeded(needed)}: add it on GitHub, under Settings, Developer settings`
