import type { Receiver } from '../http.ts'
import type { HooksOptions, MountOptions } from '../options.ts'
import { type Callable, withCallerStack } from '../runtime/call-site.ts'
import { isObject } from '../runtime/json.ts'

/** Marks a `Hooks`, so that an adapter from one copy of the package accepts the `Hooks` of another. */
export const hooksBrand: symbol = Symbol.for('hookserver.Hooks')

/** The part of a `Hooks` that adapters use. */
export interface Mountable {
  /** Creates a receiver, which an adapter passes requests to. */
  mount(options?: MountOptions, traits?: MountTraits): Receiver
}

/** The properties of the adapter that mounts. */
export interface MountTraits {
  /**
   * `false`: the platform does not provide the client's address, so an origin check needs `clientAddress`.
   * Default: `true`.
   */
  knowsAddress?: boolean
  /** The values of `clientAddress` that work here, besides a function. Default: `cloudflare`, which reads a header. */
  clientAddresses?: readonly string[]
  /**
   * `false`: the mount gets no deliveries from GitHub, only those that an operator creates with the admin API. So the
   * mount does not make the process count as a receiver. Default: `true`.
   */
  receives?: boolean
  /** Override the options of the `Hooks` for this mount. For programs of hookserver, such as `inject`. */
  overrides?: HooksOptions | undefined
}

/** Lets an adapter serve an existing receiver, which the caller also uses for other purposes. */
export function mounted(receiver: Receiver): Mountable {
  const mountable: Mountable = { mount: () => receiver }
  return Object.assign(mountable, { [hooksBrand]: true })
}

/**
 * Mounts `hooks`.
 * @param adapter The function that the application calls. The stacks of errors begin with its caller.
 * @throws {TypeError} if `hooks` is not a `Hooks`, or an option is wrong.
 */
export function mount(
  hooks: Mountable,
  options: MountOptions | undefined,
  traits: MountTraits = {},
  adapter: Callable = mount,
): Receiver {
  return withCallerStack([adapter], () => assertHooks(hooks).mount(options, traits))
}

export const isMountable = (hooks: unknown): hooks is Mountable =>
  typeof hooks === 'object' && hooks !== null && hooksBrand in hooks

function assertHooks(hooks: Mountable): Mountable {
  if (!isMountable(hooks)) {
    throw new TypeError(`hookserver(hooks): expected an instance of Hooks, got ${describe(hooks)}`)
  }
  return hooks
}

/** The type of a wrong argument, and what to write instead where the mistake is known. */
function describe(given: unknown): string {
  if (!isObject(given)) return given === null ? 'null' : typeof given
  if ('hooks' in given) return 'object; use hookserver(hooks), without braces'
  // A framework that was given the function itself calls it with a request or a context.
  if (!('headers' in given || 'req' in given)) return 'object'
  return 'a request; pass the result of hookserver(hooks), not hookserver itself, as in app.use(hookserver(hooks))'
}
