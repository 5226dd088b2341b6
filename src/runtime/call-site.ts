/** Functions that a stack can be cut at. */
type Callable = (...given: never[]) => unknown

/** Lets the stack of an error begin with the caller of a function, on platforms that can do so. */
export function cutStack(error: { stack?: string }, at: Callable | undefined): void {
  const { captureStackTrace } = Error as { captureStackTrace?(error: object, at: Callable | undefined): void }
  captureStackTrace?.(error, at)
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
