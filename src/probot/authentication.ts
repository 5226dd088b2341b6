import { App, Octokit } from 'octokit'
import { toRequester } from '../github/octokit-requester.ts'
import { withoutPlugins } from '../github/octokit-scope.ts'
import { defaultRetryPolicy } from '../github/requester.ts'
import { authenticateInstallation, fixedInstallation, InstallationTokens } from '../github/tokens.ts'
import { isObject } from '../runtime/json.ts'

/** An Octokit, whose class creates the Octokits of installations. */
type AnyOctokit = object

/** The option `auth` of a `ProbotOctokit`: a token, or an App and perhaps one of its installations. */
export type Credentials = { token: string } | AppCredentials

/** An App, and perhaps one of its installations. */
export interface AppCredentials {
  appId: number | string
  privateKey: string
  /** Without it, requests authenticate as the App itself. */
  installationId?: number | string | undefined
  /** Internal: Octokits with the same client share the tokens of installations. */
  client?: object | undefined
}

/** What Octokit passes to the option `authStrategy`: the members of `auth`, and these. */
interface StrategyOptions {
  octokit: AnyOctokit
  octokitOptions: OctokitOptions
}

interface OctokitOptions {
  auth?: unknown
  baseUrl?: string | undefined
  request?: object | undefined
}

/** An App as a caller of GitHub's API, with the tokens of its installations. */
export class AppClient {
  readonly auth: Authentication
  readonly tokens: InstallationTokens

  constructor({ appId, privateKey }: AppCredentials, { baseUrl, request }: OctokitOptions) {
    const options = { ...withoutPlugins, ...(baseUrl && { baseUrl }), ...(request && { request }) }
    const { octokit } = new App({ appId, privateKey, Octokit: Octokit.defaults(options) })
    this.auth = octokit.auth as Authentication
    this.tokens = new InstallationTokens(toRequester(octokit, { timeout: defaultRetryPolicy.requestTimeout }))
  }
}

/** The function `octokit.auth`, with the hook that authenticates each request. */
interface Authentication {
  (query?: AuthQuery): Promise<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: the types of Octokit's hooks depend on its version
  hook(request: any, route: any, parameters: any): Promise<any>
}

/** The argument of `octokit.auth()`. */
interface AuthQuery {
  /** `app`, `installation`, or `event-octokit`, which returns an Octokit for the installation in a payload. */
  type?: string
  installationId?: number | string
  /** Creates the result of a query for an installation. */
  factory?(options: object): unknown
  event?: { name: string; payload: unknown }
}

/** The authentication of a `ProbotOctokit`, by its option `auth`. */
export function authenticate({ octokit, octokitOptions, ...auth }: StrategyOptions): Authentication {
  const given = octokitOptions.auth
  const credentials = typeof given === 'string' ? { token: given } : (auth as Partial<AppCredentials>)
  if ('token' in credentials) return withToken(String(credentials.token), octokit)
  if (credentials.appId && credentials.privateKey) return asApp(credentials as AppCredentials, octokit, octokitOptions)
  return unauthenticated(octokit)
}

function asApp(credentials: AppCredentials, octokit: AnyOctokit, options: OctokitOptions): Authentication {
  // Created at the first request, because the constructor of an Octokit must be cheap.
  let own = credentials.client as AppClient | undefined
  const client = () => (own ??= new AppClient(credentials, options))
  const asInstallation = (id: number | string) =>
    authenticateInstallation(fixedInstallation(String(id)), client().tokens) as Authentication
  const octokitFor = (id: number | string) => {
    const Octokit = octokit.constructor as new (options: OctokitOptions) => AnyOctokit
    const auth = { ...credentials, client: client(), installationId: id }
    return new Octokit({ ...options, auth })
  }
  const { installationId } = credentials
  const auth = async (query: AuthQuery = {}) => {
    if (query.type === 'event-octokit') {
      const id = query.event && installationOf(query.event)
      return id === undefined ? withoutCredentials(octokit, options) : octokitFor(id)
    }
    const id = query.installationId ?? installationId
    if (query.type === 'installation' || (query.type === undefined && id !== undefined)) {
      if (id === undefined) throw new TypeError('octokit.auth({ type: "installation" }) needs an "installationId"')
      if (!query.factory) return asInstallation(id)()
      return query.factory({ ...credentials, client: client(), installationId: id, octokit, octokitOptions: options })
    }
    return client().auth({ type: 'app', ...query })
  }
  const hook: Authentication['hook'] = (request, route, parameters) => {
    const { hook } = installationId === undefined ? client().auth : asInstallation(installationId)
    return hook(request, route, parameters)
  }
  return Object.assign(auth, { hook })
}

/** An Octokit for a delivery without an installation. */
function withoutCredentials(octokit: AnyOctokit, { auth: _, ...options }: OctokitOptions): AnyOctokit {
  const Octokit = octokit.constructor as new (options: OctokitOptions) => AnyOctokit
  return new Octokit(options)
}

function withToken(token: string, octokit: AnyOctokit): Authentication {
  const auth = async ({ type, factory }: AuthQuery = {}) => {
    if (type === 'event-octokit') return octokit
    return factory ? factory({ octokit, token }) : { type: 'token', tokenType: 'oauth', token }
  }
  const hook: Authentication['hook'] = (request, route, parameters) => {
    const endpoint = request.endpoint.merge(route, parameters)
    endpoint.headers.authorization = `token ${token}`
    return request(endpoint)
  }
  return Object.assign(auth, { hook })
}

function unauthenticated(octokit: AnyOctokit): Authentication {
  const auth = async ({ type }: AuthQuery = {}) => (type === 'event-octokit' ? octokit : { type: 'unauthenticated' })
  const hook: Authentication['hook'] = (request, route, parameters) => request(route, parameters)
  return Object.assign(auth, { hook })
}

/** The installation in a payload, unless the delivery says that the App has no access any more. */
export function installationOf({ name, payload }: { name: string; payload: unknown }): number | string | undefined {
  const { installation, action } = payload as { installation?: unknown; action?: unknown }
  const isRevoked = name === 'installation' && ['suspend', 'deleted'].includes(String(action))
  return isRevoked || !isObject(installation) ? undefined : (installation.id as number | string | undefined)
}
