import type { Command } from './commands/command.ts'
import type { Delivery, Priority } from './delivery.ts'
import type { PayloadOf } from './events.ts'
import { type Callable, cutStack } from './runtime/call-site.ts'
import {
  type Check,
  checkOptions,
  fail,
  isFunction,
  isListOf,
  isStorableString,
  isString,
  isWhole,
  must,
} from './runtime/check-options.ts'
import { maxTimer } from './runtime/timer.ts'
import { type Duration, durationCheck, toMilliseconds } from './runtime/units.ts'
import type { Schedule } from './schedules/schedule.ts'

/**
 * A function that is called for each delivery. hookserver ignores its return value. With an inbox, it stores the return
 * value with the attempt.
 */
export type Handler<Name extends string = string> = (delivery: Delivery<Name>) => unknown

/**
 * A function whose return value is the reply: a string as text, an object as JSON, a `Response` unchanged, nothing as
 * 204. With an inbox, hookserver replies before the function runs, and stores the return value with the attempt.
 */
export type Hook<Name extends string = string> = (
  payload: PayloadOf<Name>,
  guid: string,
  delivery: Delivery<Name>,
) => unknown

/**
 * A `Handler` as a parameter. It also takes a handler for a less specific name, such as a `Handler<'issues'>` for
 * `issues.opened`. As a `Handler<'issues.opened'>`, TypeScript would compare only the two names, and reject it.
 */
export type HandlerFor<Name extends string> = NoInfer<(delivery: Delivery<Name>) => unknown>

/** A `Hook` as a parameter. It also takes a hook for a less specific name. */
export type HookFor<Name extends string> = NoInfer<
  (payload: PayloadOf<Name>, guid: string, delivery: Delivery<Name>) => unknown
>

/** How deliveries reach one handler. `Name` is the name, or the union of names, that the handler is registered for. */
export interface HandlerOptions<Name extends string = string> {
  /**
   * The handler's name in logs and in the inbox. The inbox finds the attempts of a handler by this name, even after a
   * restart. Default: `hook:<event>` for a hook, `on:<event>` for a listener. With an inbox, two handlers with the same
   * name are an error.
   */
  name?: string | undefined
  /**
   * The maximum number of attempts for a delivery in an inbox. Default: 12. With the default `backoff`, the delays
   * between 12 attempts last 11 to 23 hours in total.
   */
  attempts?: number | undefined
  /**
   * The maximum delay before the first retry of a delivery in an inbox. Each further failure triples the maximum, up to
   * 6 h. The actual delay is random, between half of the maximum and the maximum. Default: 5 s.
   */
  backoff?: Duration | undefined
  /**
   * The time from the receipt of a delivery until its first attempt may start. Counts only for deliveries in an inbox.
   * Default: 0.
   */
  delay?: Duration | undefined
  /**
   * The time from the start of an attempt until the attempt fails and `delivery.signal` aborts. Counts only for
   * deliveries in an inbox. Default: 15 minutes.
   */
  timeout?: Duration | undefined
  /**
   * The maximum number of attempts of the handler that each process runs at a time. Counts only for deliveries in an
   * inbox. Default: 25.
   */
  concurrency?: number | undefined
  /**
   * The order key. Deliveries of an inbox with the same key are handled one at a time, in order of receipt. While a
   * delivery waits for a retry, later deliveries with its key wait too. Deliveries without a key are handled in any
   * order. `'repository'` is the key `delivery.repository`. The inbox stores `sha256:` and the SHA-256 of a key that has
   * more than 200 characters. Default: no order.
   */
  order?: 'repository' | ((delivery: Delivery<Name>) => string | undefined) | undefined
  /**
   * Who takes turns when more deliveries of an inbox wait than the handler can run: repositories or installations. A
   * delivery then waits for one delivery of each other repository, and not for all deliveries that arrived earlier. Of
   * one repository, the oldest delivery is first. A delivery without a repository, or without an installation, counts
   * for its owner. `false`: the oldest delivery is first. Default: `'repository'`.
   */
  fair?: 'repository' | 'installation' | false | undefined
  /**
   * The mount whose deliveries the handler gets, by `delivery.source`: the option `source` of the mount, else its
   * `path`. Or a list of mounts. Default: all.
   */
  source?: string | readonly string[] | undefined
  /**
   * Patterns of paths, such as `['packages/api/**', '!packages/api/docs/**']`: the handler runs only for a push or a
   * pull request that changes a matching file. If GitHub does not list all changed files, the handler runs too. The
   * last pattern that matches a path decides. A pattern with `!` excludes. Other deliveries are discarded. Default:
   * all.
   */
  paths?: readonly string[] | undefined
  /**
   * `'background'`: the requests of `delivery.octokit()` come last while other requests of the same installation or token
   * wait, and leave a fifth of GitHub's rate limit to them. Default: `'background'` for a delivery of a schedule,
   * otherwise `'normal'`.
   */
  priority?: Priority | undefined
}

/** The options of a handler, with durations in milliseconds. */
export interface ResolvedHandlerOptions extends Omit<HandlerOptions, (typeof durationOptions)[number]> {
  /** Milliseconds. `undefined`: the default of the inbox. */
  backoff?: number | undefined
  /** Milliseconds. `undefined`: no delay. */
  delay?: number | undefined
  /** Milliseconds. `undefined`: the default of the inbox. */
  timeout?: number | undefined
}

const durationOptions = ['backoff', 'delay', 'timeout'] as const

/**
 * A handler may have options of its own under this symbol, as the handlers of `exec` have. Options at the registration
 * override them.
 */
export const handlerOptions: unique symbol = Symbol.for('hookserver.handlerOptions') as never

/** A handler with its registration. */
export interface Registration {
  /** Unique among the handlers of a `Hooks` with an inbox. */
  readonly name: string
  /** The names that it was registered for: `event`, `event.action` or `*`. */
  events: readonly string[]
  /** Whether its return value is the reply: true for a hook, false for a listener. */
  readonly replies: boolean
  /** The function to call. See `given`. */
  readonly handler: Handler
  /** The function that the application passed, if `handler` is not this function itself. */
  readonly given?: unknown
  /** The given options, with the defaults of the others. */
  readonly options: ResolvedHandlerOptions
  /** The given options that have no effect without an inbox. */
  readonly inboxOptions?: readonly string[]
  /** The schedule whose deliveries it handles. */
  readonly schedule?: Schedule | undefined
  /** The comment command that it runs. */
  readonly command?: Command | undefined
  /**
   * Decides by the payload and its source whether a delivery is for the handler. @returns The order among the handlers
   * with this function: the lowest number runs first. `undefined`: the delivery is not for the handler.
   */
  positionIn?(payload: Record<string, unknown>, source: string): number | undefined
  /** Where it was registered, such as `/app/hooks.ts:3:7`. Only for a command, and a handler with an unknown name. */
  readonly at?: string | undefined
}

/** The members of a registration that depend on the method of `Hooks`. */
export interface RegisteredHandler
  extends Pick<Registration, 'replies' | 'handler' | 'schedule' | 'command' | 'positionIn'> {
  /** Whether it is a handler of hookserver, which middleware does not see. */
  isInternal?: boolean
}

/** The text of a function that reads `payload` of its first argument: `({ payload }) => …`, `(delivery) => delivery.payload`. */
const readsPayload =
  /^(?:async\b\s*)?(?:function\b[^(]*)?\(?\s*(?:\{(?:[^{}]*,)?\s*payload\b|(\w+)\b.*(?<![.\w])\1\.payload\b)/s

/**
 * A hook as a handler. A `TypeError` of a hook that takes its first argument for the delivery, as handlers of `on()` do,
 * is explained. Payloads of GitHub have no member `payload`.
 */
export function handlerOf(hook: Hook): Handler {
  const handler: Handler = (delivery) => hook(delivery.payload, delivery.guid, delivery)
  if (!readsPayload.test(Function.prototype.toString.call(hook))) return handler
  return async (delivery) => {
    try {
      return await handler(delivery)
    } catch (error) {
      if (!(error instanceof TypeError) || 'payload' in delivery.payload) throw error
      const cure = 'but this function reads "payload" of the payload: write (payload) => …, or use hooks.on()'
      throw new TypeError(`hooks.hook() calls its function with (payload, guid, delivery), ${cure}`, { cause: error })
    }
  }
}

/** The options that have no effect without an inbox. Those of `exec`, which are not given, do not count. */
export const inboxOptionsOf = (given: HandlerOptions = {}): string[] =>
  Object.entries(given).flatMap(([name, value]) =>
    value === undefined || ['name', 'source', 'paths', 'priority'].includes(name) ? [] : [name],
  )

/** The warning about them. */
export function inboxOptionsWarning(handler: string, options: readonly string[]): string {
  const list = options.map((option) => `"${option}"`).join(', ')
  return `Without an inbox, ${list} of the handler ${handler} has no effect`
}

/**
 * Splits the arguments `[options], handler`.
 * @param method The method that got them. The stack of the error begins with its caller.
 * @throws {TypeError} if they are in the wrong order.
 */
export function optionsThenHandler(
  method: Callable,
  call: string,
  given: readonly unknown[],
): { options: HandlerOptions | undefined; handler: unknown } {
  const [first, second] = given
  if (given.length < 2) return { options: undefined, handler: first }
  if (isFunction(first)) {
    const error = new TypeError(`Options come before the handler: write ${call}, { … }, handler)`)
    cutStack(error, method)
    throw error
  }
  return { options: first as HandlerOptions | undefined, handler: second }
}

/**
 * Checks that each handler has a unique and permanent name, which identifies its attempts in an inbox.
 * @throws {TypeError}
 */
export function checkNames(registrations: readonly Registration[]): void {
  const names = new Set<string>()
  for (const { name } of registrations) {
    if (names.has(name)) throw nameTaken(name)
    names.add(name)
  }
}

/** The error for a second handler with a name. */
export const nameTaken = (name: string): TypeError =>
  new TypeError(
    `Two handlers have the name "${name}", but an inbox finds their attempts by name: give one of them the option "name"`,
  )

export const isHandlerOption = (name: string): boolean => Object.hasOwn(checks, name)

/** @throws {TypeError} naming the option and its value. */
export function resolveHandlerOptions(given: HandlerOptions): ResolvedHandlerOptions {
  checkOptions(given, checks, { suffix: ' of a handler' })
  const resolved = { ...given } as Record<string, unknown>
  for (const name of durationOptions) {
    if (given[name] !== undefined) resolved[name] = toMilliseconds(given[name])
  }
  return resolved as ResolvedHandlerOptions
}

function checkPaths(value: unknown, option: string): void {
  if (!isListOf(value, isString) || value.length === 0) fail(option, 'a list of patterns', value)
  for (const pattern of value) {
    const path = pattern.replace(/^!/, '')
    if (path === '' || /^\.?\//.test(path) || path.endsWith('/')) {
      const rule = 'patterns of paths from the root of the repository, such as "docs/**" for all files in docs'
      fail(option, rule, pattern)
    }
  }
  if (value[0]?.startsWith('!')) fail(option, 'a list whose first pattern does not exclude, such as "**"', value)
}

export const priorityCheck: Check = must(
  (value) => value === 'normal' || value === 'background',
  "'normal' or 'background'",
)

const count = must((value) => isWhole(value, 1), 'a whole number, 1 at least')

const checks: Record<keyof HandlerOptions, Check> = {
  name: must(
    (value) => isStorableString(value) && value !== '' && value !== '*',
    'a string without NUL, not empty and not "*"',
  ),
  attempts: count,
  backoff: durationCheck({ max: maxTimer }),
  delay: durationCheck({ min: 0, max: maxTimer }),
  timeout: durationCheck({ max: maxTimer }),
  concurrency: count,
  source: must(
    (value) => isStorableString(value) || (isListOf(value, isStorableString) && value.length > 0),
    'a string or a list of strings, without NUL',
  ),
  paths: checkPaths,
  order: must((value) => value === 'repository' || typeof value === 'function', "'repository' or a function"),
  fair: must(
    (value) => value === 'repository' || value === 'installation' || value === false,
    "'repository', 'installation' or false",
  ),
  priority: priorityCheck,
}
