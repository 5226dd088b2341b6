/** Functions that a stack can be cut at. */
export type Callable = ((...given: never[]) => unknown) | (abstract new (...given: never[]) => unknown)

/** Lets the stack of an error begin with the caller of a function, on platforms that can do so. */
export function cutStack(error: { stack?: string }, at: Callable | undefined): void {
  const { captureStackTrace } = Error as { captureStackTrace?(error: object, at: Callable | undefined): void }
  captureStackTrace?.(error, at)
}

/**
 * Calls `check`. The stack of its error begins with the caller of one of these functions: the program's own line, whose
 * options are wrong.
 */
export function withCallerStack<Result>(functions: readonly Callable[], check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    const running = functions.find((one) => callSite([one]) !== undefined)
    if (running && error instanceof Error) cutStack(error, running)
    throw error
  }
}

/**
 * Where the program called one of these functions, such as `/app/hooks.ts:3:7`. `undefined` if none of them is running, or
 * if the platform does not say.
 */
export function callSite(functions: readonly Callable[]): string | undefined {
  for (const one of functions) {
    const error: { stack?: string } = {}
    cutStack(error, one)
    const [, place] = /^\s*at (?:.* \()?(.+:\d+:\d+)\)?$/m.exec(error.stack ?? '') ?? []
    if (place !== undefined) return place.replace(/^file:\/\//, '')
  }
  return undefined
}
