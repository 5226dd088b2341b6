/** The option `paths` of a handler. */
import { hasChangedFiles } from '../bots/targets.ts'
import { splitName } from '../events.ts'
import type { Handler } from '../handler.ts'
import { Discard } from '../thrown.ts'

/**
 * A handler that runs only if a changed file matches `paths`, or if GitHub does not list all changed files. Otherwise, the
 * task is discarded. The list of a pull request is fetched from GitHub, so the check is part of the attempt: if it fails,
 * the attempt fails, and is retried.
 * @param names The names that the handler is registered for.
 * @throws {TypeError} if the deliveries of a name have no changed files.
 */
export function onlyForPaths(names: readonly string[], paths: readonly string[], handler: Handler): Handler {
  checkNamesForPaths(names)
  return async (delivery) => {
    const [{ files, complete }, { pathFilter }] = await Promise.all([
      delivery.changedFiles(),
      import('./path-filter.ts'),
    ])
    if (complete && !files.some(pathFilter(paths))) {
      throw new Discard(`None of the ${files.length} changed files matches "paths": ${paths.join(', ')}`)
    }
    return handler(delivery)
  }
}

/** @throws {TypeError} if the deliveries of a name have no changed files. */
export function checkNamesForPaths(names: readonly string[]): void {
  const wrong = names.find((name) => !hasChangedFiles(splitName(name)[0]))
  if (wrong !== undefined) {
    throw new TypeError(
      `Option "paths" of a handler needs deliveries with changed files, but ${wrong} has none: register the handler ` +
        'only for push and for events of pull requests',
    )
  }
}
