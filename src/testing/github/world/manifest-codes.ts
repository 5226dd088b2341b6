import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { App } from './app.ts'

/** In milliseconds: GitHub ends the manifest flow after an hour. */
const lifetime = 60 * 60 * 1000

/** An App that was registered from a manifest, with the secret of its webhook, which GitHub shows only once. */
export interface Registration {
  app: App
  /** `undefined` if the manifest has no webhook. */
  webhookSecret: string | undefined
}

/** The codes of new registrations. A client exchanges a code once, within an hour, for the App and its secrets. */
export class ManifestCodes {
  readonly #clock: Clock
  readonly #open = new Map<string, Registration & { expiresAt: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @returns A new code. */
  add(registration: Registration): string {
    const code = randomBytes(20).toString('hex')
    this.#open.set(code, { ...registration, expiresAt: this.#clock.now() + lifetime })
    return code
  }

  /** @returns `undefined` for a code that is unknown, used or expired. */
  redeem(code: string): Registration | undefined {
    const found = this.#open.get(code)
    this.#open.delete(code)
    return found && this.#clock.now() < found.expiresAt ? found : undefined
  }
}
