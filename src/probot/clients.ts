import { withCheckedNames } from '../github/octokit-mistakes.ts'
import { type Scope, withScope } from '../github/octokit-scope.ts'
import { getOrCreate } from '../runtime/get-or-create.ts'
import { AppClient, type Credentials, installationOf } from './authentication.ts'
import type { ProbotOctokit, ProbotOctokitClass } from './octokit.ts'

interface ClientOptions {
  Octokit: ProbotOctokitClass
  githubToken: string | undefined
  appId: number | string | undefined
  privateKey: string | undefined
  /** Read for each Octokit, because it may change until the first request. */
  readonly baseUrl: string | undefined
  request: object | undefined
}

/** Creates the Octokits of a `Probot`. They share the tokens of installations. */
export class Clients {
  readonly #options: ClientOptions
  readonly #appClients = new Map<string | undefined, AppClient>()

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** Authenticates as an installation. Without its id: with the token, else as the App. */
  forInstallation(id: number | string | undefined, scope: Scope): ProbotOctokit {
    const { githubToken, appId, privateKey } = this.#options
    if (githubToken !== undefined) return this.#create(scope, { token: githubToken })
    if (!appId || !privateKey) return this.#create(scope, undefined)
    const app = { appId, privateKey, client: this.#sharedClient({ appId, privateKey }) }
    if (id === undefined) return this.#create(scope, app)
    return this.#create(scope, { ...app, installationId: id })
  }

  /**
   * Authenticates as the installation in a payload. Without an installation: with the token, else not at all.
   * @param exactId The id of the installation with all its digits: the number in the payload may be rounded.
   */
  forEvent(event: { name: string; payload: unknown }, scope: Scope, exactId: string | undefined): ProbotOctokit {
    const id = installationOf(event)
    if (id === undefined && this.#options.githubToken === undefined) return this.#create(scope, undefined)
    return this.forInstallation(id === undefined ? undefined : (exactId ?? id), scope)
  }

  #sharedClient(app: { appId: number | string; privateKey: string }): AppClient {
    return getOrCreate(this.#appClients, this.#options.baseUrl, () => new AppClient(app, this.#common))
  }

  #create(scope: Scope, auth: Credentials | undefined): ProbotOctokit {
    const { Octokit } = this.#options
    const octokit = new Octokit({ ...this.#common, auth, scope })
    const { request, hook } = octokit as Partial<Pick<ProbotOctokit, 'request' | 'hook'>>
    if (!request || !hook) return octokit // the test of an app gave the class of a double
    return withCheckedNames(withScope(scope, octokit as never)) as never
  }

  /** Only the options that are set, so that the class keeps its own defaults. */
  get #common(): { baseUrl?: string; request?: object } {
    const { baseUrl, request } = this.#options
    return { ...(baseUrl && { baseUrl }), ...(request && { request }) }
  }
}
