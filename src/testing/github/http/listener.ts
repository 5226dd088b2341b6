import type { RequestListener, ServerResponse } from 'node:http'
import type { Json } from '../../../runtime/json.ts'
import { anonymous, type Caller } from '../auth/caller.ts'
import { grantable } from '../auth/permissions.ts'
import type { Failure, LocalGitHubRequest } from '../options.ts'
import type { DeliverySender } from '../sending/delivery-sender.ts'
import { rejectForeignForm, rejectForeignHost } from '../web/foreign-requests.ts'
import { findPage } from '../web/pages.ts'
import type { App } from '../world/app.ts'
import type { Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { versionHeaders } from './api-version.ts'
import type { Failures } from './failures.ts'
import { guard, sees } from './guard.ts'
import { acceptedHeaders, commonHeaders, conditional, scopeHeaders } from './headers.ts'
import { type RateLimits, resourceOf } from './limits.ts'
import { archived, HttpError, missingRoute, notFound, type Reply, redirect, withoutUserAgent } from './reply.ts'
import { formOf, jsonOf, textOf } from './request-body.ts'
import type { Call, Finder, Route } from './route.ts'

/** The state that requests are answered from. */
export interface ListenerContext {
  world: World
  sender: DeliverySender
  failures: Failures
  /** `undefined` if there are no limits. */
  limits: RateLimits | undefined
  /** All requests, in order. */
  requests: LocalGitHubRequest[]
  find: Finder<Route>
}

/** Fails the requests that a test wants to fail, and answers all others as GitHub would. */
export function listener(context: ListenerContext): RequestListener {
  return async (request, response) => {
    const { method = '', url: path = '', headers } = request
    const entry: LocalGitHubRequest = { method, path, headers, status: 0 }
    context.requests.push(entry)
    if (context.requests.length > context.world.maxRecords) context.requests.shift()
    const foreign = rejectForeignHost(entry)
    if (foreign) return send(response, context, entry, foreign)
    const failure = context.failures.next(method, path) ?? overriddenEntry(context.world, path)
    if (failure === 'hang') return
    if (failure === 'cut') return void request.socket.destroy()
    const text = await textOf(request).catch(() => undefined)
    if (text === undefined) return void response.destroy() // too long, or the client has disconnected
    try {
      send(response, context, entry, failure ?? visit(context, entry, text) ?? answer(context, entry, text))
    } catch (error) {
      // Without this, the error would end the process. It is a defect of the local GitHub, or of a planned failure.
      console.error('%s', `The local GitHub failed to answer ${method} ${path}:`, error)
      send(response, context, entry, { status: 500, body: { message: `The local GitHub failed: ${error}` } })
    }
  }
}

function send(response: ServerResponse, { world }: ListenerContext, entry: LocalGitHubRequest, reply: Reply): void {
  const { status, headers, body, page = body === undefined ? undefined : JSON.stringify(body) } = reply
  response.writeHead(status, { ...commonHeaders(world), ...headers })
  entry.status = status
  response.end(page)
}

/** The failure with which a test has replaced the single delivery in a path. */
function overriddenEntry({ entryOverrides }: World, path: string): Failure | undefined {
  const [, id = ''] = /\/deliveries\/(\d+)(?:\/attempts)?(?:\?|$)/.exec(path) ?? []
  return entryOverrides.get(id)?.single
}

/** Shows a page, if the path belongs to one. Pages have no rate limits. */
function visit(context: ListenerContext, entry: LocalGitHubRequest, text: string): Reply | undefined {
  const { world, sender } = context
  const url = URL.parse(world.origin + entry.path)
  const found = url && findPage(routeMethod(entry), url.pathname)
  if (!found) return undefined
  const { route: shown, parameters } = found
  const { owner, repo } = parameters
  // The path of a route may have the form of a page of a repository.
  if (repo !== undefined && !world.findRepository(`${owner}/${repo}`)) return undefined
  const rejected = rejectForeignForm(entry, shown)
  if (rejected) return rejected
  const form = formOf(text, entry.headers)
  if (text !== '') entry.body = Object.fromEntries(form)
  return shown.answer({
    ...{ world, sender, url, headers: entry.headers, form, parameters },
    request: (...of) => request(context, ...of),
  })
}

/** Sends a request of a page to the API. */
function request(context: ListenerContext, what: string, body: Json = {}, app?: App): Reply {
  const { world } = context
  const [method = '', path = ''] = what.split(' ')
  const entry = { method, path: world.api.slice(world.origin.length) + path, headers: {}, body, status: 0 }
  const user: Caller = {
    ...{ kind: 'user', budget: 'pages', user: world.user },
    permissions: grantable,
    scopes: undefined,
  }
  return replyOrError(() => route(context, entry, app ? { kind: 'app', budget: 'pages', app } : user))
}

/** Checks the user agent and the version, authenticates the caller, applies the rate limits and runs the route. */
function answer(context: ListenerContext, entry: LocalGitHubRequest, text: string): Reply {
  if (!entry.headers['user-agent']) return withoutUserAgent
  const { world, limits } = context
  let caller: Caller = anonymous
  let version: Record<string, string> = {}
  const method = routeMethod(entry)
  const resource = resourceOf(entry.path.slice(prefixOf(world, entry.path).length))
  const reply = replyOrError(() => {
    version = versionHeaders(entry.headers)
    if (text !== '') entry.body = jsonOf(text)
    caller = world.tokens.callerOf(entry.headers.authorization as string | undefined, world.apps, world.clock.now())
    const act = () => replyOrError(() => route(context, entry, caller))
    // The rate limits apply after the route of a GET, because a 304 is free for authenticated callers. A GET changes
    // nothing, so the route may run even if the limits then reject the request.
    const read = method === 'GET' ? conditional(act(), entry.headers) : undefined
    if (read?.status === 304 && caller.kind !== 'anonymous') return read
    limits?.charge(caller, method, resource)
    return read ?? act()
  })
  const headers = { ...version, ...limits?.headersFor(caller, resource), ...scopeHeaders(caller), ...reply.headers }
  return { ...reply, headers }
}

/** Runs the route of a request, if it exists and the caller may use it. */
function route({ world, sender, find }: ListenerContext, entry: LocalGitHubRequest, caller: Caller): Reply {
  const { path, headers, body } = entry
  const url = URL.parse(world.origin + path)
  const prefix = prefixOf(world, path)
  const below = url?.pathname.startsWith(`${prefix}/`) ? withName(world, url.pathname.slice(prefix.length)) : ''
  const found = find(routeMethod(entry), below)
  if (!url || !found) throw missingRoute(entry.method, url?.pathname ?? path)
  const { parameters, route } = found
  const { owner, repo } = parameters
  const fullName = `${owner}/${repo}`
  const moved = repo === undefined ? undefined : world.findMoved(fullName)
  if (moved && (!moved.private || sees(caller, moved)))
    throw redirect(routeMethod(entry), addressOf(world, moved, url, below))
  const repository = repo === undefined ? undefined : world.findRepository(fullName)
  if (repo !== undefined && !repository) throw notFound()
  // Links to other pages have the id of the repository, as on GitHub.
  const shown = repository ? new URL(addressOf(world, repository, url, below)) : url
  const context = { world, sender, caller, url: shown, parameters, repository }
  const call: Call = { ...context, headers, body: (body ?? {}) as Call['body'] }
  const reply = replyOrError(() => {
    guard(route.access, caller, repository)
    if (repository?.archived && route.method !== 'GET') throw archived()
    return route.answer(call)
  })
  return { ...reply, headers: { ...acceptedHeaders(route.access, caller), ...reply.headers } }
}

/** The path with the name of the repository, if it has the id: GitHub answers both. */
function withName({ repositories }: World, path: string): string {
  const [start = '', id] = /^\/repositories\/(\d+)(?=\/|$)/.exec(path) ?? []
  const named = id === undefined ? undefined : repositories.find((repository) => String(repository.id) === id)
  return named ? `/repos/${named.fullName}${path.slice(start.length)}` : path
}

/** The address of a request with the id of the repository, which stays the same when the repository is renamed. */
const addressOf = ({ api }: World, { id }: Repository, { search }: URL, path: string): string =>
  `${api}/repositories/${id}${path.replace(/^\/repos\/[^/]+\/[^/]+/, '')}${search}`

/**
 * The part of a path before that of the route. The API of a github.com is at the root, and also where clients expect that
 * of another server: `--github` alone is then enough.
 */
const prefixOf = ({ api, origin }: World, path: string): string =>
  path.startsWith(`${enterprisePrefix}/`) ? enterprisePrefix : api.slice(origin.length)

const enterprisePrefix = '/api/v3'

/** The method whose routes answer a request. GitHub answers HEAD like GET, and Node.js leaves out the body. */
const routeMethod = ({ method }: LocalGitHubRequest): string => (method === 'HEAD' ? 'GET' : method)

function replyOrError(work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    if (error instanceof HttpError) return error.reply
    throw error
  }
}
