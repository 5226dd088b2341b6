import { type Mountable, mounted } from '../adapters/mount.ts'
import { hookserver } from '../adapters/web.ts'
import { optionsOf } from '../internals.ts'
import type { HooksOptions } from '../options.ts'
import { consoleLogger } from '../telemetry/logger.ts'

/**
 * Sends a request to `hooks` without a server. hookserver checks and handles it like a request to a mount. Prints the
 * error of a failed handler even with `logger: false`, because the reply does not contain it. A test of such a failure
 * can pass its own `onError`.
 * @param options Override the options of the `Hooks`. `validateIp` is `false` by default, because there is no address.
 *   With `inbox: false`, handlers run before the reply.
 * @returns The reply. A rejection has the content type `application/problem+json`.
 */
export async function inject(
  hooks: Mountable,
  request: {
    method?: string | undefined
    headers?: Record<string, string> | undefined
    body?: string | Uint8Array | undefined
  },
  options?: HooksOptions,
): Promise<Response> {
  const { method = 'POST', headers = {}, body } = request
  const overrides = { validateIp: false, ...shownFailures(optionsOf(hooks), options), ...options }
  const receiver = hooks.mount({}, { knowsAddress: false, overrides })
  const url = new URL(receiver.path || '/', 'http://localhost')
  const handle = hookserver(mounted(receiver))
  return handle(new Request(url, { method, headers, ...(body !== undefined && { body: body as string }) }))
}

/** An `onError` that also prints the error, if no logger does. */
function shownFailures(own: HooksOptions, given: HooksOptions = {}): HooksOptions {
  if ((given.logger ?? own.logger) !== false) return {}
  return {
    onError(failure) {
      consoleLogger.error({ err: failure.error }, `A handler for ${failure.delivery.event} failed`)
      return own.onError?.(failure)
    },
  }
}
