import { join } from 'node:path'
import type { LocalGitHub } from 'hookserver/testing'
import { Served } from '../served.ts'

/** The resources that a demo uses. */
export interface Stage {
  /** A folder for databases and logs. demo.ts deletes it. */
  folder: string
  github: LocalGitHub
  /** Aborts on Ctrl-C. */
  signal: AbortSignal
}

export const secret = "It's a Secret to Everybody"

/** Starts `hookserver serve` with the handlers of hooks.ts. */
export function startServer({ folder, github }: Stage, args: string[] = [], env: Record<string, string> = {}) {
  const module = join(import.meta.dirname, 'hooks.ts')
  return Served.start(folder, {
    args: [module, '--api-url', github.url, ...args],
    env: { GITHUB_WEBHOOKS_KEY: secret, ...env },
  })
}
