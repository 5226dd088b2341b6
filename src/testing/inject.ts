import type { Mountable } from '../adapters/mount.ts'
import { hookserver } from '../adapters/web.ts'
import type { HooksOptions } from '../options.ts'
import { consoleLogger } from '../telemetry/logger.ts'

/**
 * Sends a request to `hooks` without a server. hookserver checks and handles it like a request to a mount. Prints the
 * error of a failed handler even with `logger: false`, because the reply does not contain it. A test of such a failure
 * can pass its own `onError`.
 * @param options The options of the mount. `validateIp` is `false` by default, because there is no address.
 * @returns The reply. A rejection has the content type `application/problem+json`.
 */
export async function inject(
  hooks: Mountable & { readonly options?: Readonly<HooksOptions> },
  request: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array },
  options?: HooksOptions,
): Promise<Response> {
  const { method = 'POST', headers = {}, body } = request
  const mounting = { validateIp: false, ...shownFailures(hooks.options, options), ...options }
  const url = new URL(hooks.mount(mounting).url || '/', 'http://localhost')
  const handle = hookserver(hooks, mounting)
  return handle(new Request(url, { method, headers, ...(body !== undefined && { body: body as string }) }))
}

/** An `onError` that also prints the error, if no logger does. */
function shownFailures(own: HooksOptions = {}, given: HooksOptions = {}): HooksOptions {
  if ((given.logger ?? own.logger) !== false) return {}
  return {
    onError(error, delivery) {
      consoleLogger.error({ err: error }, `A handler for ${delivery.event} failed`)
      return own.onError?.(error, delivery)
    },
  }
}
