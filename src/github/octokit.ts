import type { OctokitSource } from '../delivery.ts'
import type { Settings } from '../settings.ts'
import type { GitHubClient } from './github-client.ts'

/**
 * Creates the function behind `delivery.octokit()`. Its module loads the client, and with it the package `octokit`, when
 * a handler calls that method for the first time. Mounts with the same credentials share one client and its tokens.
 */
export class OctokitSources {
  readonly #clients = new Map<string, Promise<GitHubClient>>()

  sourceOf({ apiUrl, app, token, logger }: Settings): OctokitSource {
    const key = JSON.stringify([apiUrl, app, token])
    return async (delivery) => {
      let client = this.#clients.get(key)
      if (!client) {
        client = import('./github-client.ts').then(
          ({ GitHubClient }) => new GitHubClient({ apiUrl, app, token, logger }),
        )
        this.#clients.set(key, client)
      }
      return (await client).octokitFor(delivery)
    }
  }
}
