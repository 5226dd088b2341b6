import type { DeliverySources } from './delivery.ts'
import type { Registration } from './handler.ts'
import type { HooksOptions } from './options.ts'
import type { Json } from './runtime/json.ts'
import type { Settings } from './settings.ts'

/** The property of a `Hooks` with its `HooksInternals`. Its name is the same in each copy of the package. */
export const internals: symbol = Symbol.for('hookserver.internals')

/** A `Hooks` as the programs of hookserver see it: the server, the command line, recovery and `inject`. */
export interface HooksInternals {
  /**
   * The given options, without defaults, except that a missing `secret` or `app` comes from the environment. They
   * contain secrets, so they are not a public member.
   */
  readonly options: Readonly<HooksOptions>
  /** The handlers of a delivery, in the order in which they run. */
  match(event: string, action: string | undefined, source: string, payload: Json): readonly Registration[]
  /**
   * The logger and the Octokits of deliveries.
   * @param overrides Options that override those of the `Hooks`.
   */
  sources(overrides?: HooksOptions): Omit<DeliverySources, 'readBody'>
  /**
   * Overrides options. Call it before the first mount and before `work()`.
   * @throws {TypeError} naming the invalid option.
   */
  override(options: HooksOptions): void
  /**
   * Checks everything that a mount with an inbox and `work()` would check of the handlers and of the settings.
   * @throws {Error} that says what to do.
   */
  check(settings: Settings, process: ProcessRoles): void
}

/** Whether a process receives deliveries, and whether it runs handlers. */
interface ProcessRoles {
  receives: boolean
  works: boolean
}

/** @throws {TypeError} if `hooks` is not a `Hooks`, for example because it is an object that only has its methods. */
function internalsOf(hooks: object): HooksInternals {
  const found = (hooks as Partial<Record<symbol, HooksInternals>> | null | undefined)?.[internals]
  if (!found) throw new TypeError(`Expected an instance of Hooks, got ${hooks === null ? 'null' : typeof hooks}`)
  return found
}

/** The given options of a `Hooks`. They contain secrets. */
export const optionsOf = (hooks: object): Readonly<HooksOptions> => internalsOf(hooks).options

/** What `run` of `hookserver/testing` needs of a `Hooks`. */
export const runnerOf = (hooks: object): Pick<HooksInternals, 'match' | 'sources'> => internalsOf(hooks)

/** Checks a `Hooks` without starting anything. See `HooksInternals.check`. */
export const checkHooks = (hooks: object, ...given: Parameters<HooksInternals['check']>): void =>
  internalsOf(hooks).check(...given)

/** Overrides options of a `Hooks`. See `HooksInternals.override`. */
export const overrideOptions = (hooks: object, options: HooksOptions): void => internalsOf(hooks).override(options)
