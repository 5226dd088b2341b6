import type { Settings } from '../settings.ts'
import { GitHubClient } from './client.ts'
import { loadOctokit } from './load-octokit.ts'
import { missingIdentity } from './missing-identity.ts'
import type { Requester } from './requester.ts'
import type { Target } from './target.ts'

/** Whoever reads GitHub's log of deliveries, and asks for them again: the token, or the App. */
export class SweepClients {
  readonly #settings: Pick<Settings, 'apiUrl' | 'app' | 'token' | 'logger'>
  readonly #github: GitHubClient

  constructor(settings: Pick<Settings, 'apiUrl' | 'app' | 'token' | 'logger'>) {
    this.#settings = settings
    this.#github = new GitHubClient(settings)
  }

  /** @throws {Error} in words for whoever named the target. */
  async connect(target: Target): Promise<Requester> {
    const { token, apiUrl } = this.#settings
    const missing = missingIdentity([target], this.#settings)
    if (missing !== undefined) throw new Error(missing)
    if (target === 'app') return this.#github.asApp()
    return token === undefined ? this.#asInstallation(target) : withToken(token, apiUrl)
  }

  async #asInstallation(target: Exclude<Target, 'app'>): Promise<Requester> {
    const route =
      'repository' in target ? `/repos/${target.repository}/installation` : `/orgs/${target.organization}/installation`
    const { data } = await (await this.#github.asApp()).request(`GET ${route}`)
    const { logger: log } = this.#settings
    const signal = new AbortController().signal // each request brings its own
    return this.#github.asInstallation((data as { id: number }).id, { log, signal })
  }
}

/** Without Octokit's own patience: a sweep waits and tries again by itself, as long as it has its lease. */
async function withToken(auth: string, baseUrl: string): Promise<Requester> {
  const { Octokit } = await loadOctokit()
  const log = { debug() {}, info() {}, warn() {}, error() {} } // what fails is told of the sweep
  return new Octokit({ auth, baseUrl, log, throttle: { enabled: false }, retry: { enabled: false } }) as Requester
}
