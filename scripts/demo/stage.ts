import { join } from 'node:path'
import type { LocalGitHub } from 'hookserver/testing'
import { Served } from '../served.ts'

/** What there is to show something with. */
export interface Stage {
  /** For what is kept. It is deleted in the end. */
  folder: string
  github: LocalGitHub
  /** Aborts when somebody has seen enough. */
  signal: AbortSignal
}

/** What GitHub and the server share. */
export const secret = "It's a Secret to Everybody"

/** `hookserver serve` with the handlers of hooks.ts. */
export function startServer({ folder, github }: Stage, args: string[] = [], env: Record<string, string> = {}) {
  const module = join(import.meta.dirname, 'hooks.ts')
  return Served.start(folder, {
    args: [module, '--api-url', github.url, ...args],
    env: { GITHUB_WEBHOOKS_KEY: secret, ...env },
  })
}
