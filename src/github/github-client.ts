import type { Octokit } from 'octokit'
import { type AppOptions, appWithoutDelivery } from '../app.ts'
import type { Delivery, Priority } from '../delivery.ts'
import { type HandlerOptions, priorityCheck } from '../handler.ts'
import { checkOptions } from '../runtime/check-options.ts'
import { isMissingPackage, version } from '../runtime/platform.ts'
import { scheduleEvent } from '../schedules/schedule.ts'
import type { ScheduleTarget } from '../schedules/scheduled-delivery.ts'
import type { Settings } from '../settings.ts'
import { needsCredentials, noApp, noChosenApp, noInstallation, unauthorizedApp } from './credential-errors.ts'
import {
  checkOctokitTarget,
  type Installation,
  Installations,
  type OctokitTarget,
  scheduleInstallations,
  scheduleRepositories,
} from './installations.ts'
import { withCheckedNames } from './octokit-mistakes.ts'
import { toRequester } from './octokit-requester.ts'
import {
  type ApiCaller,
  octokitLogger,
  type Scope,
  throttleOptions,
  withoutPlugins,
  withScope,
} from './octokit-scope.ts'
import { defaultRetryPolicy, type Requester } from './requester.ts'
import { missingCredentials, type Target } from './target.ts'
import { authenticateInstallation, type InstallationSource, InstallationTokens } from './tokens.ts'

type GivenCredentials = Pick<Settings, 'apiUrl' | 'app' | 'token' | 'logger'> &
  Partial<Pick<Settings, 'octokit' | 'pacing'>>
interface Credentials extends Omit<GivenCredentials, 'app'> {
  app: AppOptions | undefined
  /** Whether the option `app` is a function. It has returned no App, or there is no delivery to call it with. */
  choosesApp: boolean
}
type OctokitConstructor = typeof import('octokit').Octokit

interface AppClient {
  /** Authenticates as the App itself. */
  app: Requester
  tokens: InstallationTokens
  installations: Installations
}

interface OctokitOptions {
  log: ReturnType<typeof octokitLogger>
}

/** For requests without a signal. */
const requestTimeout = { timeout: defaultRetryPolicy.requestTimeout }
/**
 * For the requests of the App on behalf of users, which may wait for rate limits. All handlers of an installation wait
 * for the answer with its token.
 */
const answerTimeout = { answerTimeout: defaultRetryPolicy.requestTimeout }

const userAgent = `hookserver/${version}`

/**
 * Creates Octokits that authenticate with the token, as the App, or as an installation of the App. Some are for the
 * code of users, who get them from `delivery.octokit()` and `hooks.octokit()`. These wait for rate limits, up to
 * `maxWait`. The others are the requesters, which hookserver itself uses. A request of a requester fails at a rate
 * limit.
 */
export class GitHubClient {
  readonly #credentials: Credentials
  /** The scope of requests that belong to neither a delivery nor a requester. */
  readonly #scope: Scope
  #app: Promise<AppClient> | undefined
  /** The client of the App for requesters. `#app` is the client for the Octokits that users get. */
  #appOfRequesters: Promise<AppClient> | undefined

  /**
   * @param credentials An `app` that is a function counts as missing.
   * @param signal Ends the requests that belong to neither a delivery nor a requester. If `signal` is given, these
   * requests keep the process alive while they wait for a rate limit.
   */
  constructor(credentials: GivenCredentials, signal?: AbortSignal) {
    const { app } = credentials
    this.#credentials = { ...credentials, app: appWithoutDelivery(app), choosesApp: typeof app === 'function' }
    const never = new AbortController().signal
    this.#scope = { log: credentials.logger, signal: signal ?? never, keepAlive: signal !== undefined }
  }

  /**
   * The Octokit for a handler.
   * @param priority The option of the handler.
   * @throws {Error} if there are no credentials for the delivery.
   */
  async octokitFor(delivery: Delivery, priority?: Priority): Promise<Octokit> {
    const { app, token, apiUrl } = this.#credentials
    const { installationId, log, signal, source } = delivery
    const isBackground = (priority ?? (source === scheduleEvent ? 'background' : 'normal')) === 'background'
    const scope = { log, signal, isBackground }
    if (app && installationId !== undefined) {
      const source = (await this.#appClient()).installations.sourceFor({ installation: installationId })
      return this.#asInstallation(source, installationId, scope)
    }
    if (token !== undefined) return this.withToken(scope)
    if (app) throw noInstallation(apiUrl)
    throw this.#needsCredentials('delivery.octokit()')
  }

  /**
   * The Octokit for calls outside a delivery.
   * @throws {TypeError} naming the wrong option, or the wrong member of the target.
   * @throws {Error} if there are no credentials. For a repository or an account, also if the App is not installed
   * there, or if the installation is suspended.
   */
  async octokitOutside(target: OctokitTarget, options: Pick<HandlerOptions, 'priority'> = {}): Promise<Octokit> {
    checkOctokitTarget(target)
    checkOptions(options, { priority: priorityCheck }, { suffix: ' of hooks.octokit()' })
    const scope = { ...this.#scope, isBackground: options.priority === 'background' }
    const { app, token } = this.#credentials
    if (app) {
      const source = (await this.#appClient()).installations.sourceFor(target)
      return this.#asInstallation(source, await source.id(), scope)
    }
    if (token !== undefined) return this.withToken(scope)
    throw this.#needsCredentials('hooks.octokit()')
  }

  #needsCredentials(call: 'delivery.octokit()' | 'hooks.octokit()'): Error {
    const { choosesApp, apiUrl } = this.#credentials
    return choosesApp ? noChosenApp(apiUrl, call) : needsCredentials(call, apiUrl)
  }

  /** Lists the installations of the App. @throws {Error} (at the first page) without the option `app`. */
  async *listInstallations(): AsyncGenerator<Installation, void, undefined> {
    yield* (await this.#appClient()).installations.list()
  }

  /** Lists the installations that are not suspended. */
  listScheduleInstallations(): AsyncGenerator<ScheduleTarget, void, undefined> {
    return scheduleInstallations(this.listInstallations())
  }

  /** Lists the repositories of an installation that are neither archived nor disabled. */
  async *listScheduleRepositories(
    installation: ScheduleTarget['installation'],
  ): AsyncGenerator<ScheduleTarget, void, undefined> {
    const octokit = await this.octokitOutside({ installation: installation.id }, { priority: 'background' })
    yield* scheduleRepositories(installation, toRequester(octokit))
  }

  /**
   * A requester that may read the delivery logs of a target. Each request ends when its own signal aborts. At a rate
   * limit, a request fails. The caller then waits and retries, because only the caller knows when it loses its lease or
   * has to stop.
   * @throws {Error} with a message for the operator.
   */
  async requesterFor(target: Target): Promise<Requester> {
    const { token } = this.#credentials
    const missing = missingCredentials([target], this.#credentials)
    if (missing !== undefined) throw new Error(missing)
    if (target !== 'app' && token !== undefined) return this.#requesterWith({ auth: token })
    this.#appOfRequesters ??= this.#createApp(this.#requesterOptions, (octokit) => toRequester(octokit, requestTimeout))
    const { app, tokens, installations } = await this.#appOfRequesters
    if (target === 'app') return app
    const source = installations.sourceFor(target)
    return this.#requesterWith({ authStrategy: () => authenticateInstallation(source, tokens) })
  }

  /**
   * The server of GitHub and, for `app`, the App. The leases and keys of polling contain it, because several Apps and
   * servers may share an inbox.
   */
  namespaceOf(target: Target): string {
    const { app, apiUrl } = this.#credentials
    return target === 'app' ? `${apiUrl}, App ${app?.id}` : apiUrl
  }

  async #requesterWith(credentials: object): Promise<Requester> {
    const Octokit = await this.#octokitClass()
    return toRequester(new Octokit({ ...this.#requesterOptions, ...credentials }), requestTimeout)
  }

  /** The Octokit that authenticates with the option `token`, which must be set. */
  async withToken(scope: Scope): Promise<Octokit> {
    const Octokit = await this.#octokitClass()
    const { token } = this.#credentials
    const options = this.#optionsFor('token', scope)
    const octokit = new Octokit({ ...options, auth: token, authStrategy: undefined })
    return withCheckedNames(withScope(scope, octokit))
  }

  async #asInstallation(source: InstallationSource, id: string, scope: Scope): Promise<Octokit> {
    const [Octokit, { tokens }] = await Promise.all([this.#octokitClass(), this.#appClient()])
    const options = this.#optionsFor(`installation ${id}`, scope)
    const authStrategy = () => authenticateInstallation(source, tokens)
    const octokit = new Octokit({ ...options, authStrategy, auth: undefined })
    const permissions = () => tokens.permissionsOf(id)
    return withCheckedNames(withScope({ ...scope, permissions }, octokit))
  }

  #appClient(): Promise<AppClient> {
    this.#app ??= this.#createApp(this.#optionsFor(`app ${this.#credentials.app?.id}`, this.#scope), (octokit) =>
      toRequester(withScope(this.#scope, octokit), answerTimeout),
    )
    return this.#app
  }

  /** @param prepare Adds request hooks to the Octokit that authenticates as the App itself. */
  async #createApp(options: OctokitOptions, prepare: (octokit: Octokit) => Requester): Promise<AppClient> {
    const { app, choosesApp } = this.#credentials
    if (!app) throw noApp(choosesApp)
    const [{ App }, Octokit] = await Promise.all([loadOctokit(), this.#octokitClass()])
    const { octokit: created } = new App({
      appId: app.id,
      privateKey: app.privateKey,
      Octokit: Octokit.defaults(options),
      log: options.log,
    })
    const requester = prepare(created)
    created.hook.error('request', (error) => {
      throw (error as { status?: unknown }).status === 401 ? unauthorizedApp(app.id, error) : error
    })
    return {
      app: requester,
      tokens: new InstallationTokens(requester),
      installations: new Installations(requester),
    }
  }

  /** The option `octokit`, or the class of the package. */
  async #octokitClass(): Promise<OctokitConstructor> {
    const { octokit } = this.#credentials
    return octokit ? (octokit as unknown as OctokitConstructor) : (await loadOctokit()).Octokit
  }

  /**
   * The options of an Octokit. The Octokits of one caller are throttled together, and share a budget.
   * @param name Such as `token`, `app 1` or `installation 7`.
   */
  #optionsFor(name: string, scope: Scope) {
    const { apiUrl, token, pacing = true } = this.#credentials
    const caller: ApiCaller = { apiUrl, caller: name, token: name === 'token' ? token : undefined }
    const throttle = throttleOptions(caller, scope, pacing)
    return { baseUrl: apiUrl, userAgent, log: octokitLogger(scope.log), throttle }
  }

  get #requesterOptions() {
    return { baseUrl: this.#credentials.apiUrl, userAgent, ...withoutPlugins }
  }
}

/** Loads the optional package `octokit`. @throws {Error} if it is not installed. */
export async function loadOctokit(): Promise<typeof import('octokit')> {
  try {
    return await import('octokit') // in a `try`, so that bundlers accept that it may be missing
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause
    const text = 'Talking to GitHub needs the package "octokit" beside hookserver: npm install octokit'
    throw new Error(text, { cause })
  }
}
