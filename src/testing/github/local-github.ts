import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CheckedName } from '../../checked-names.ts'
import type { AnyEventName } from '../../events.ts'
import { getOrCreate } from '../../runtime/get-or-create.ts'
import { environmentVariable } from '../../runtime/platform.ts'
import { routes } from './api/routes.ts'
import { grantable, permittedBy } from './auth/permissions.ts'
import type { LocalTokenOptions } from './auth/tokens.ts'
import type { Clock } from './clock.ts'
import { Failures } from './http/failures.ts'
import { RateLimits, type Remaining } from './http/limits.ts'
import { listener } from './http/listener.ts'
import { type LocalRouteCall, type LocalRouteOptions, type LocalRouteReply, ownRoute } from './http/own-route.ts'
import type { LocalRouteMethod } from './http/route.ts'
import { type Finder, finder, type Route } from './http/route.ts'
import {
  documentedRanges,
  type EntryOverride,
  type Failure,
  type LocalGitHubOptions,
  type LocalGitHubRequest,
  readDuration,
} from './options.ts'
import { type DeliverOptions, deliver } from './sending/deliver.ts'
import { DeliverySender } from './sending/delivery-sender.ts'
import { sendInstallationEvent } from './sending/lifecycle-events.ts'
import { type PastDelivery, record } from './sending/record.ts'
import { renameRepository } from './sending/rename-repository.ts'
import { addRepository, type LocalRepositoryOptions } from './world/add-repository.ts'
import type { Installation, LocalApp, LocalAppOptions, LocalInstallOptions } from './world/app.ts'
import type { LocalDelivery } from './world/delivery.ts'
import type { Hook, LocalHook, LocalHookOptions } from './world/hook.ts'
import type { LocalRole } from './world/repository-content.ts'
import { World } from './world/world.ts'

export { nextCommands } from './next-steps.ts' // here, so that the command loads one file

/**
 * Milliseconds after which an idle connection is closed. Node.js closes it after 5 s, which a client on a busy machine may
 * notice only when it has sent its next request.
 */
const keepAliveTimeout = 75_000

/** Finds the routes of every local GitHub, besides those that `route` adds. */
const findRoute = finder(routes)

declare global {
  /** Declared here too, because the `lib` of a project may not contain `esnext.disposable`. */
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

/**
 * A GitHub on this machine: webhooks that deliver, a part of the REST API, Apps and tokens, rate limits, and failures
 * on request. `docs/local-github-api.md` lists the routes of the API.
 *
 * ```ts
 * await using github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'] })
 * const hooks = new Hooks({ secret, apiUrl: github.url })
 * github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:8000/hooks', secret })
 * await github.deliver('issues.opened')
 * ```
 *
 * `await using` needs Node.js 24, or a compiler. Without it, close the local GitHub where a failed test closes it too:
 * `after(() => github.close())` in node:test.
 */
export class LocalGitHub {
  /** All requests to the API and the pages so far, in order of receipt. `maxRecords` limits them. */
  readonly requests: LocalGitHubRequest[] = []
  readonly #world: World
  readonly #limits: RateLimits
  readonly #failures = new Failures()
  readonly #sender: DeliverySender
  readonly #server: Server
  readonly #routes: Route[] = [...routes]
  #closed: Promise<void> | undefined
  #find: Finder<Route> = findRoute

  private constructor(options: LocalGitHubOptions) {
    const { hooks = documentedRanges, token, enterprise = false, limits, strict = false } = options
    const version = enterprise === true ? '3.19.0' : enterprise || undefined
    const {
      statusTexts = 'current',
      logLag = 0,
      headLag = 0,
      pollInterval,
      timeout = version === undefined ? '10s' : '30s',
      maxRecords = Number.POSITIVE_INFINITY,
    } = options
    const { installationTokens = version === undefined ? 'stateless' : 'stateful' } = options
    this.#world = new World({
      ...{ ranges: hooks, enterprise: version, statelessTokens: installationTokens === 'stateless' },
      ...{ statusTexts, maxRecords },
      logLag: readDuration(logLag, 'logLag'),
      headLag: readDuration(headLag, 'headLag'),
      pollInterval: pollInterval === undefined ? undefined : readDuration(pollInterval, 'pollInterval'),
    })
    this.#limits = new RateLimits(limits ?? {}, this.#world.clock, strict)
    this.#sender = new DeliverySender(this.#world, readDuration(timeout, 'timeout'))
    if (token !== undefined) this.addToken({ token })
    const unlimited = version !== undefined && !limits && !strict
    const context = { world: this.#world, sender: this.#sender, failures: this.#failures, requests: this.requests }
    this.#server = createServer(
      { keepAliveTimeout },
      listener({ ...context, limits: unlimited ? undefined : this.#limits, find: (...of) => this.#find(...of) }),
    )
  }

  /**
   * Starts a local GitHub on the loopback interface. It keeps the process alive until it is closed, except under
   * `node --test`.
   */
  static async start(options: LocalGitHubOptions = {}): Promise<LocalGitHub> {
    const github = new LocalGitHub(options)
    if (environmentVariable('NODE_TEST_CONTEXT')) github.#unref()
    github.#server.listen(options.port ?? 0, '127.0.0.1')
    await once(github.#server, 'listening')
    github.#world.origin = `http://127.0.0.1:${(github.#server.address() as AddressInfo).port}`
    return github
  }

  /** The value for the option `apiUrl`, and for the `baseUrl` of an Octokit. */
  get url(): string {
    return this.#world.api
  }

  /**
   * The address of the pages, where the user `octocat` is signed in: repositories with their issues, pull requests and
   * webhooks, Apps, and deliveries. On `/login/oauth/authorize`, the user of `signIn()` is signed in.
   */
  get webUrl(): string {
    return this.#world.origin
  }

  /** The clock that dates and expires deliveries, resets limits and expires tokens. */
  get clock(): Clock {
    return this.#world.clock
  }

  /** All Apps, including those that were registered on a page. */
  get apps(): readonly LocalApp[] {
    return this.#world.apps
  }

  /** All webhooks, including those that were made through the API and from manifests. */
  get webhooks(): readonly LocalHook[] {
    return this.#world.hooks
  }

  /** The ranges in `/meta`. The ETag of `/meta` changes when they change. */
  get hooks(): readonly string[] {
    return this.#world.ranges
  }
  set hooks(ranges: readonly string[]) {
    this.#world.ranges = ranges
  }

  /** Milliseconds by `clock` until the API shows an attempt that has ended. */
  get logLag(): number {
    return this.#world.logLag
  }
  set logLag(ms: number) {
    this.#world.logLag = ms
  }

  /** Milliseconds by `clock` until the API shows a new head of a pull request. */
  get headLag(): number {
    return this.#world.headLag
  }
  set headLag(ms: number) {
    this.#world.headLag = ms
  }

  /**
   * How many requests each caller has left until `resetAt`. `anonymous` is for requests without a token. `authorized`
   * is for all tokens of the user `octocat` together, which includes the token in the option `token`. Each other user,
   * each installation and each App has its own key.
   */
  get remaining(): Remaining {
    return this.#limits.remaining
  }

  /** When the limits reset, in milliseconds since 1970. */
  get resetAt(): number {
    return this.#limits.resetAt
  }
  set resetAt(time: number) {
    this.#limits.resetAt = time
  }

  /** Fails the next requests, one for each failure given. */
  fail(...failures: Failure[]): void {
    this.#failures.plan(failures)
  }

  /**
   * Fails the next requests that match, one for each failure given.
   * @param where Pattern for the method and path: `/deliveries/`, `/^POST .*attempts$/`.
   */
  failAt(where: RegExp, ...failures: Failure[]): void {
    this.#failures.plan(failures, where)
  }

  /**
   * Replaces the entry of one delivery in the API, until the next call for this delivery. `{}` restores the entry.
   * @throws {TypeError} if the delivery does not exist.
   */
  overrideEntry(delivery: LocalDelivery | string, override: EntryOverride): void {
    const id = typeof delivery === 'string' ? delivery : delivery.id
    if (!this.#world.findDelivery(id)) throw new TypeError(`There is no delivery ${id}`)
    this.#world.entryOverrides.set(id, override)
  }

  /**
   * Adds a route to the API. The new route takes precedence over the routes that are there already.
   * @param method A route for GET also answers HEAD.
   * @param path In the notation of OpenAPI: `/repos/{owner}/{repo}/topics`. A request for a repository that does not
   *   exist gets 404.
   */
  route(
    method: LocalRouteMethod,
    path: string,
    answer: (call: LocalRouteCall) => LocalRouteReply,
    options: LocalRouteOptions = {},
  ): void {
    this.#routes.unshift(ownRoute(method, path, answer, options))
    this.#find = finder(this.#routes)
  }

  /**
   * Makes a repository. `addHook`, `deliver` and other methods also make a repository if it is in their arguments, and
   * does not exist yet. Such a repository is public, unless a payload says that it is private.
   */
  addRepository(fullName: string, options: LocalRepositoryOptions = {}): void {
    addRepository(this.#world, fullName, options)
  }

  /**
   * Renames a repository, or transfers it to another owner, and sends the event. The API redirects requests with the
   * former name, until another repository has it.
   */
  renameRepository(fullName: string, newName: string): void {
    renameRepository({ world: this.#world, sender: this.#sender }, fullName, newName)
  }

  /** Makes an organization, so that the user can install an App on it. Other methods also make those that they name. */
  addOrganization(login: string): void {
    this.#world.account(login, 'Organization')
  }

  /** Gives a user a role in a repository. Both are made if they do not exist. */
  addCollaborator(repository: string, login: string, role: LocalRole = 'write'): void {
    const world = this.#world
    world.contentOf(world.repository(repository)).roles.set(world.account(login), role)
  }

  /**
   * Makes a user a member of a team.
   * @param team `organization/team`.
   * @param options `pending`: the user has been invited, and has not accepted yet.
   */
  addTeamMember(team: string, login: string, { pending = false }: { pending?: boolean } = {}): void {
    const members = getOrCreate(this.#world.teams, team.toLowerCase(), () => new Map())
    members.set(this.#world.account(login), pending ? 'pending' : 'active')
    this.addOrganizationMember(team.split('/', 1)[0] ?? '', login, { pending })
  }

  /**
   * Makes a user a member of an organization. Both are made if they do not exist.
   * @param options `pending`: the user has been invited, and has not accepted yet.
   */
  addOrganizationMember(organization: string, login: string, { pending = false }: { pending?: boolean } = {}): void {
    this.#world.account(organization, 'Organization')
    const members = getOrCreate(this.#world.members, organization.toLowerCase(), () => new Map())
    members.set(this.#world.account(login), pending ? 'pending' : 'active')
  }

  /** Removes a user from an organization and its teams. */
  removeOrganizationMember(organization: string, login: string): void {
    const [user, name] = [this.#world.account(login), organization.toLowerCase()]
    this.#world.members.get(name)?.delete(user)
    for (const [team, members] of this.#world.teams) if (team.startsWith(`${name}/`)) members.delete(user)
  }

  /** Logs a user in on the page `/login/oauth/authorize`. Default: `octocat`. */
  signIn(login: string): void {
    this.#world.visitor = this.#world.account(login)
  }

  /** Revokes a token: from now on, requests with it get 401. */
  revokeToken(token: string): void {
    if (!this.#world.tokens.revoke(token)) throw new TypeError('There is no such token')
  }

  /** Makes a webhook. It gets no ping: `deliver('ping', undefined, { hooks: [hook] })` sends one. */
  addHook(options: LocalHookOptions): LocalHook {
    return this.#world.addHook(options)
  }

  /** Makes a GitHub App, with a private key that can sign its JWT. */
  addApp(options: LocalAppOptions): LocalApp {
    return this.#world.addApp(options)
  }

  /**
   * Installs an App as the installation page does, and sends `installation.created` to the webhook of the App.
   * @returns The installation, once the delivery has ended.
   */
  async installApp(app: LocalApp | number, options: LocalInstallOptions = {}): Promise<Installation> {
    const installed = this.#world.app(app)
    const installation = this.#world.install(installed, options)
    await sendInstallationEvent({ world: this.#world, sender: this.#sender }, installed, installation, 'created')
    return installation
  }

  /** Makes a personal access token. All tokens of a user share the rate limits. @returns The token. */
  addToken({ token, login = 'octocat', permissions, scopes }: LocalTokenOptions = {}): string {
    const user = this.#world.account(login)
    const granted = permissions ?? (scopes ? permittedBy(scopes) : grantable)
    const budget = user === this.#world.user ? 'authorized' : `user ${user.id}`
    return this.#world.tokens.add({ kind: 'user', budget, user, permissions: granted, scopes }, token)
  }

  /**
   * Sends an event: POSTs it to `options.hooks`, by default to every active webhook that subscribes to it. All of them
   * get the same GUID.
   * @param name `issues` or `issues.opened`.
   * @param payload An object, or JSON text, which is sent byte for byte. Default: a sample.
   * @returns The deliveries, one for each webhook, once all have ended. There is no delivery if the payload is larger
   * than 25 MiB.
   */
  deliver<const Name extends AnyEventName>(
    name: CheckedName<Name>,
    payload?: object | string,
    options?: DeliverOptions,
  ): Promise<LocalDelivery[]>
  deliver(name: string, payload?: object | string, options: DeliverOptions = {}): Promise<LocalDelivery[]> {
    return deliver({ world: this.#world, sender: this.#sender }, name, payload, options)
  }

  /** Records past deliveries without sending them, which is fast enough for thousands of deliveries. */
  record(hook: LocalHook, deliveries: readonly PastDelivery[]): LocalDelivery[] {
    return record(this.#world, hook as Hook, deliveries)
  }

  /** All deliveries to a webhook, oldest first, including those that are too old for the API. */
  deliveries(hook: LocalHook): readonly LocalDelivery[] {
    return this.#world.logOf(hook).all
  }

  /**
   * Resolves when no delivery is in progress. Await it after a request for a redelivery or a ping, because the API
   * answers the request before the delivery has ended.
   */
  idle(): Promise<void> {
    return this.#sender.idle()
  }

  /** Stops the server, aborts the deliveries in progress, and cuts hanging connections. A repeated call waits too. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await this.#sender.close()
    await closed
  }

  /**
   * Lets the process end while the server is open. `node --test` waits for the end of the process: a failed test that
   * has not closed the server would never be reported as failed.
   */
  #unref(): void {
    this.#server.unref()
    this.#server.on('connection', (connection) => connection.unref())
  }
}
