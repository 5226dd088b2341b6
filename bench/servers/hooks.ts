import { Hooks } from 'hookserver'
import type { Bench } from '../delivery.ts'

/** What all frameworks are measured with: one handler, for the push. */
export function hooksFor({ secret, path }: Bench): Hooks {
  const hooks = new Hooks({ secret, url: path, validateIp: false })
  hooks.hook('push', () => 'ok')
  return hooks
}
