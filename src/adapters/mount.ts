import type { Receiver } from '../http.ts'
import type { HooksOptions } from '../options.ts'

/** Marks a `Hooks`, so that an adapter from one copy of the package serves the `Hooks` of another. */
export const hooksBrand: symbol = Symbol.for('hookserver.Hooks')

/** What an adapter needs of a `Hooks`. */
export interface Mountable {
  mount(options?: HooksOptions, traits?: MountTraits): Receiver
}

/** What the receiver must know of the adapter that mounts it. */
export interface MountTraits {
  /** `false`: the platform shows no peer address, so an origin check needs `clientAddress`. Default: `true`. */
  knowsAddress?: boolean
  /** The names that `clientAddress` may have here, beside a function. Default: `cloudflare`, which is a header. */
  clientAddresses?: readonly string[]
  /** `false`: it takes what an operator makes, which does not make a receiver of a process. Default: `true`. */
  receives?: boolean
}

/** Has an adapter serve a receiver that is there already, for whoever asks it for more than adapters do. */
export function mounted(receiver: Receiver): Mountable {
  const mountable: Mountable = { mount: () => receiver }
  return Object.assign(mountable, { [hooksBrand]: true })
}

/** Mounts `hooks`, with a clear error when what was passed is none. */
export function mount(hooks: Mountable, options: HooksOptions | undefined, traits: MountTraits = {}): Receiver {
  if (typeof hooks !== 'object' || hooks === null || !(hooksBrand in hooks)) {
    throw new TypeError(
      `hookserver(hooks): expected an instance of Hooks, got ${hooks === null ? 'null' : typeof hooks}`,
    )
  }
  return hooks.mount(options, traits)
}
