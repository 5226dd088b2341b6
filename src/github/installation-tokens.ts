import type { Octokit } from 'octokit'
import { wait } from '../runtime/timer.ts'

interface InstallationToken {
  readonly text: string
  /** By this machine's clock, in milliseconds since 1970. */
  readonly madeAt: number
  readonly renewAt: number
}

/** A token is not used in its last minute: what begins with it has to be through. */
const margin = 60_000
/** A token this young that is refused is not known everywhere at GitHub yet; it is tried again after a second. */
const youth = 5000

/** The tokens by which an App speaks in its installations: each is asked for once, and used until it is about to expire. */
export class InstallationTokens {
  readonly #app: Octokit
  /** In the order in which they expire. */
  readonly #tokens = new Map<number, InstallationToken>()
  readonly #flights = new Map<number, Promise<InstallationToken>>()

  /** @param app Speaks as the App itself. */
  constructor(app: Octokit) {
    this.#app = app
  }

  /** One that is good. Whoever asks while it is on its way waits for the same. */
  async get(installation: number): Promise<string> {
    const known = this.#tokens.get(installation)
    return known && Date.now() < known.renewAt ? known.text : this.#renew(installation)
  }

  /** Another in place of one that GitHub answered 401: it was revoked, or GitHub's clock is ahead. */
  async replace(installation: number, refused: string): Promise<string> {
    const known = this.#tokens.get(installation)
    if (known?.text !== refused) return this.get(installation) // somebody was faster
    if (Date.now() - known.madeAt < youth) {
      await wait(1000, new Promise(() => {}))
      return this.get(installation)
    }
    return this.#renew(installation)
  }

  async #renew(installation: number): Promise<string> {
    let flight = this.#flights.get(installation)
    if (!flight) {
      flight = this.#ask(installation).finally(() => this.#flights.delete(installation))
      this.#flights.set(installation, flight)
    }
    return (await flight).text
  }

  async #ask(installation: number): Promise<InstallationToken> {
    const { data, headers } = await this.#app.request('POST /app/installations/{installation_id}/access_tokens', {
      installation_id: installation,
    })
    const now = Date.now()
    const lifetime = Date.parse(data.expires_at) - (Date.parse(headers.date ?? '') || now) // both by GitHub's clock
    const token = { text: data.token, madeAt: now, renewAt: now + lifetime - margin }
    this.#forgetExpired(now)
    this.#tokens.delete(installation) // so that it comes last
    this.#tokens.set(installation, token)
    return token
  }

  /** An App may have more installations than are heard of again. */
  #forgetExpired(now: number): void {
    for (const [installation, { renewAt }] of this.#tokens) {
      if (now < renewAt) return
      this.#tokens.delete(installation)
    }
  }
}
