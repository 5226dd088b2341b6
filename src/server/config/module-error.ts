/**
 * The error of a module that cannot be imported, or whose app fails. It shows the user's line, as Node.js does for an
 * uncaught error.
 */
import { causesOf, causeText } from '../../runtime/cause-text.ts'
import { excerpt, shownPlace } from './code-excerpt.ts'
import { type CodeLocation, isForeignFrame, locationOf, stackOnly } from './code-location.ts'
import { cureOf } from './import-cure.ts'
import { failedImportOf } from './module-imports.ts'

export class ModuleError extends Error {
  override readonly name = 'ModuleError'
  /**
   * The user's line with carets below it, and the stacks of the error and its causes without the frames of hookserver
   * and Node.js. `undefined` if the error says nothing about its place.
   */
  readonly trace: string | undefined

  /** @param message Says which module cannot be used, where, and why. */
  constructor(message: string, trace: string | undefined, options?: ErrorOptions) {
    super(message, options)
    this.trace = trace
  }
}

/** @param problem `Cannot import hooks.ts` */
export function moduleError(problem: string, cause: unknown): ModuleError {
  const location = locationOf(cause)
  const place = location ? `${shownPlace(location)}: ` : ''
  const message = `${problem}: ${place}${messageOf(cause, location?.file)}`
  return new ModuleError(message, location && traceOf(cause, location), { cause })
}

/**
 * The first line of the message, because the trace has all of them, without the name of the importing file, and with
 * the cure of common mistakes.
 */
function messageOf(error: unknown, file: string | undefined): string {
  if (!(error instanceof Error)) return String(error)
  const [line = ''] = error.message.split('\n', 1)
  const message = failedImportOf(error) ? line.replace(/ imported from .*$/, '') : line
  const { code } = error as { code?: string }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `${message} (Node.js only strips types: it does not support enums, namespaces or parameter properties)`
  }
  // Without a file there is no trace, which has the causes.
  const more = cureOf(error, file) ?? (file === undefined ? causeText(error) : undefined)
  return more === undefined ? message : `${message}: ${more}`
}

function traceOf(error: unknown, location: CodeLocation): string {
  const stacks = causesOf(error).flatMap((one) => (one instanceof Error ? shownStack(one) : []))
  return [...excerpt(location), '', stacks.join('\ncaused by: ')].join('\n')
}

/** The stack, without the frames that are not the user's. */
function shownStack({ name, message, stack = `${name}: ${message}` }: Error): string {
  const lines = stackOnly(stack).split('\n')
  return lines.filter((line) => !isForeignFrame(line)).join('\n')
}
