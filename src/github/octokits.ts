import { readApp } from '../app.ts'
import type { DeliveryOctokit, DeliverySources, OctokitClass, OctokitSource } from '../delivery.ts'
import type { HandlerOptions } from '../handler.ts'
import { getOrCreate } from '../runtime/get-or-create.ts'
import type { ScheduleTarget } from '../schedules/scheduled-delivery.ts'
import type { Settings } from '../settings.ts'
import type { GitHubClient } from './github-client.ts'
import type { Installation, OctokitTarget } from './installations.ts'

export type { Installation, OctokitTarget } from './installations.ts'

/**
 * The Octokits of a `Hooks`: those of its deliveries, and those that the application asks for. Every import of
 * `hookserver` loads this file, so the file imports `github-client.ts` only when a client is first needed.
 */
export class Octokits {
  /**
   * The clients by the option `octokit`, then by API address, credentials and pacing. Mounts that have all of these in
   * common share a client.
   */
  readonly #clients = new Map<OctokitClass | undefined, Map<string, Promise<GitHubClient>>>()
  /** Created when it is needed, because a Cloudflare Worker must not create an `AbortController` while it starts. */
  #closing: AbortController | undefined

  /** The logger and the Octokits of deliveries that no mount receives. */
  sourcesFor(settings: Settings): Omit<DeliverySources, 'readBody'> {
    return { logger: settings.logger, octokits: this.forDeliveries(settings) }
  }

  /** Creates the Octokits for the deliveries of a mount. */
  forDeliveries(settings: Settings): OctokitSource {
    const { app } = settings
    if (typeof app !== 'function') return async (...given) => (await this.#clientFor(settings)).octokitFor(...given)
    return async (delivery, priority) => {
      const chosen = await app(delivery)
      return (await this.#clientFor({ ...settings, app: chosen ? readApp(chosen) : app })).octokitFor(
        delivery,
        priority,
      )
    }
  }

  /** An Octokit for calls that belong to no delivery. Its requests end at `close()`. */
  async forTarget(
    settings: Settings,
    target: OctokitTarget,
    options?: Pick<HandlerOptions, 'priority'>,
  ): Promise<DeliveryOctokit> {
    return (await this.#clientFor(settings)).octokitOutside(target, options)
  }

  /** The installations of the App. Each page of GitHub's list is fetched when the caller reaches it. */
  async *installations(settings: Settings): AsyncGenerator<Installation, void, undefined> {
    yield* (await this.#clientFor(settings)).listInstallations()
  }

  /** The installations of the App that are not suspended, or the repositories of one installation, for a schedule. */
  async *scheduleTargets(
    settings: Settings,
    installation: ScheduleTarget['installation'] | undefined,
  ): AsyncGenerator<ScheduleTarget, void, undefined> {
    const client = await this.#clientFor(settings)
    yield* installation ? client.listScheduleRepositories(installation) : client.listScheduleInstallations()
  }

  /** Ends the requests that belong to no delivery: those of `forTarget()` and `installations()`. Rejects new ones. */
  close(): void {
    this.#closer.abort(new DOMException('hooks.close() ends requests to GitHub', 'AbortError'))
  }

  get #closer(): AbortController {
    this.#closing ??= new AbortController()
    return this.#closing
  }

  #clientFor(settings: Settings): Promise<GitHubClient> {
    const { apiUrl, app, token, octokit, pacing } = settings
    const clients = getOrCreate(this.#clients, octokit, () => new Map<string, Promise<GitHubClient>>())
    const key = JSON.stringify([apiUrl, typeof app === 'function' ? 'a function' : app, token, pacing])
    return getOrCreate(clients, key, async () => {
      const { GitHubClient } = await import('./github-client.ts')
      return new GitHubClient(settings, this.#closer.signal)
    })
  }
}
