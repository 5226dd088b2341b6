import type { Delivery } from '../delivery.ts'
import { type HandlerOptions, handlerOptions } from '../handler.ts'
import { withCallerStack } from '../runtime/call-site.ts'
import { rawNumber } from '../runtime/json.ts'
import { KeyLocks } from '../runtime/mutex.ts'
import { maxTimer } from '../runtime/timer.ts'
import { type Command, commandOf, type ExecOptions } from './options.ts'
import { drainTime, runProgram, textOf } from './program.ts'
import { reasonToSkip, type Target, targetOf } from './target.ts'

export type { ExecOptions } from './options.ts'

/**
 * A handler that runs a program. The handler resolves with a text about the program's exit, or with the reason why it
 * did not run the program.
 */
export interface ExecHandler {
  /** For `hooks.on`. */
  (delivery: Delivery): Promise<string>
  /** For `hooks.hook`, which replies with the text. */
  (payload: unknown, guid: string, delivery: Delivery): Promise<string>
  /** The default options of this handler with an inbox. Options at the registration override them. */
  readonly [handlerOptions]: HandlerOptions
}

/**
 * Makes a handler that runs a program, for example to deploy on push.
 *
 * ```ts
 * hooks.on('push', { name: 'deploy' }, exec('./deploy.sh', { branch: 'main' }))
 * ```
 *
 * The program gets the payload as JSON on standard input, and the properties of the delivery in environment variables:
 * `HOOKSERVER_EVENT`, `_ACTION`, `_REPOSITORY`, `_REF`, `_SHA`, `_SENDER` and `_GUID`. It is started without a shell,
 * with only the arguments given here: nothing of a payload becomes part of a command. The lines of its output, at most
 * 1,000, go to `delivery.log`.
 *
 * The handler succeeds if the program exits with 0, or if `branch` excludes the delivery. It rejects with an `Error` if
 * the program exits with another code, is killed, cannot be started, or is stopped by `timeout` or `delivery.signal`. A
 * stop also ends the processes that the program has started, unless they have left its process group. Windows has no
 * process groups: there, a stop ends only the program.
 * @param file The program: a path relative to `cwd` if it contains a slash, else a name to look up in `PATH`.
 * @param args Its arguments. Default: none.
 * @throws {TypeError} naming the invalid argument or option.
 */
export function exec(file: string, options?: ExecOptions): ExecHandler
export function exec(file: string, args?: readonly string[], options?: ExecOptions): ExecHandler
export function exec(file: string, second?: readonly string[] | ExecOptions, third?: ExecOptions): ExecHandler {
  const isList = typeof second !== 'object' || Array.isArray(second) || third !== undefined
  const command = withCallerStack([exec], () => commandOf(file, ...(isList ? [second, third] : [[], second])))
  const locks = new KeyLocks()
  const handler = async (...given: [Delivery] | [unknown, string, Delivery]): Promise<string> => {
    const delivery = given.at(-1) as Delivery
    const { event, payload, signal, log, repository } = delivery
    const target = targetOf(event, payload)
    const reason = command.branches && reasonToSkip(command.branches, target, event)
    if (reason !== undefined) return `Skipped: ${reason}`
    const run = () => {
      signal.throwIfAborted()
      const env = environmentFor(delivery, target, command.env)
      return runProgram(command, { env, input: toJson(payload), signal, log })
    }
    try {
      const inTurn = command.order === 'repository' && repository !== undefined
      const ms = await (inTurn ? locks.run(repository, signal, run) : run())
      return `${command.name} exited with 0 after ${ms} ms`
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error
      throw new Error(`${command.name} was not started: ${textOf(error)}`, { cause: error })
    }
  }
  return Object.assign(handler, { [handlerOptions]: optionsFor(command) })
}

/** The payload as JSON. Its BigInts, which the option `parsePayload` may return, keep their digits. */
function toJson(payload: unknown): string {
  return JSON.stringify(payload, (_name, value) => (typeof value === 'bigint' ? rawNumber(String(value)) : value))
}

/**
 * The default options of the handler with an inbox. The order then applies in all processes that share the inbox. An
 * attempt times out only after the program has exceeded its own `timeout`.
 */
function optionsFor({ order, timeout, killAfter }: Command): HandlerOptions {
  return {
    ...(order && { order }),
    ...(timeout !== undefined && { timeout: Math.min(timeout + killAfter + drainTime, maxTimer) }),
  }
}

/**
 * The only variables that a program inherits. The others may hold the webhook's secret and tokens. A program that
 * builds other people's code must not see these, unless the developer passes them on.
 */
const inherited = ['PATH', 'HOME', 'LANG']

/**
 * Maximum characters of a value of the delivery. Longer values are left out. The limit is far below 128 KiB, because
 * Linux starts no program with a variable of that size.
 */
const maxValueLength = 1024

/**
 * The environment of a program: inherited variables, then the developer's, then those that describe the delivery. A
 * later variable overrides an earlier one of the same name.
 */
function environmentFor(
  { event, action, repository, sender, guid }: Delivery,
  { ref, sha }: Target,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const properties = { event, action, repository, ref, sha, sender, guid }
  const described = Object.entries(properties)
    // A NUL makes `spawn` fail.
    .filter(([, value]) => value !== undefined && value.length <= maxValueLength && !value.includes('\0'))
    .map(([name, value]) => [`HOOKSERVER_${name.toUpperCase()}`, value] as const)
  const own = inherited.map((name) => [name, process.env[name]] as const)
  const all = [...own, ...Object.entries(given), ...described]
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
