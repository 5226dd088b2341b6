import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { App } from './app.ts'
import type { Account } from './repository.ts'

/** In milliseconds: a code expires after ten minutes. */
const lifetime = 10 * 60 * 1000

/** A user's permission for an App, for which the App gets a token. */
export interface Authorization {
  app: App
  user: Account
  /** `undefined`: the request named none. */
  redirectUri: string | undefined
  /** The challenge of PKCE, with the method S256. `undefined`: the request had none. */
  challenge: string | undefined
}

/** The users who have authorized an App, and the codes that Apps exchange for tokens. */
export class Authorizations {
  readonly #clock: Clock
  readonly #given = new Map<App, Set<Account>>()
  readonly #codes = new Map<string, Authorization & { expiresAt: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has({ app, user }: Pick<Authorization, 'app' | 'user'>): boolean {
    return this.#given.get(app)?.has(user) ?? false
  }

  /** @returns A new code. */
  add(authorization: Authorization): string {
    const users = this.#given.get(authorization.app) ?? new Set()
    this.#given.set(authorization.app, users.add(authorization.user))
    const code = randomBytes(10).toString('hex')
    this.#codes.set(code, { ...authorization, expiresAt: this.#clock.now() + lifetime })
    return code
  }

  /** @returns `undefined` for a code that is unknown, used, expired or another App's. A failed attempt uses it up. */
  redeem(code: string, app: App, verifier: string | undefined): Authorization | undefined {
    const found = this.#codes.get(code)
    this.#codes.delete(code)
    if (!found || found.app !== app || this.#clock.now() >= found.expiresAt) return undefined
    const { challenge } = found
    return challenge === undefined || challenge === challengeOf(verifier ?? '') ? found : undefined
  }
}

const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')
