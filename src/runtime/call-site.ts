/** Functions that a stack can be cut at. */
type Callable = (...given: never[]) => unknown

/**
 * Where the program called one of these functions, such as `/app/hooks.ts:3:7`. `undefined` if none of them is running, or
 * if the platform does not say.
 */
export function callSite(functions: readonly Callable[]): string | undefined {
  for (const one of functions) {
    const error: { stack?: string } = {}
    // Leaves out the frames of the function and of all that it has called. Missing on some platforms.
    ;(Error as Partial<ErrorConstructor>).captureStackTrace?.(error, one)
    const [, place] = /^\s*at (?:.* \()?(.+:\d+:\d+)\)?$/m.exec(error.stack ?? '') ?? []
    if (place !== undefined) return place.replace(/^file:\/\//, '')
  }
  return undefined
}
