import { Hooks } from 'hookserver'
import type { Bench } from '../delivery.ts'

/** The hooks of all framework benchmarks: one handler, for the push. */
export function hooksFor({ secret, path }: Bench): Hooks {
  const hooks = new Hooks({ secret, path, validateIp: false })
  hooks.hook('push', () => 'ok')
  return hooks
}
