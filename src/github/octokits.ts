import type { OctokitSource } from '../delivery.ts'
import type { Settings } from '../settings.ts'
import type { GitHubClient } from './client.ts'

/** Where deliveries get their Octokits. A client is loaded when somebody asks for the first, and then is that of all. */
export class Octokits {
  /** One for each who may be asked as. */
  readonly #clients = new Map<string, Promise<GitHubClient>>()

  sourceOf({ apiUrl, app, token, logger }: Settings): OctokitSource {
    const key = JSON.stringify([apiUrl, app, token])
    return async (delivery) => {
      let client = this.#clients.get(key)
      if (!client) {
        client = import('./client.ts').then(({ GitHubClient }) => new GitHubClient({ apiUrl, app, token, logger }))
        this.#clients.set(key, client)
      }
      return (await client).octokitFor(delivery)
    }
  }
}
