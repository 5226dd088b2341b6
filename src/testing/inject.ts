import type { Mountable } from '../adapters/mount.ts'
import { hookserver } from '../adapters/web.ts'
import type { HooksOptions } from '../options.ts'

/**
 * Sends a request to `hooks` without a server. hookserver checks and handles it like a request to a mount.
 * @param options The options of the mount. `validateIp` is `false` by default, because there is no address.
 * @returns The reply. A rejection has the content type `application/problem+json`.
 */
export async function inject(
  hooks: Mountable,
  request: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array },
  options?: HooksOptions,
): Promise<Response> {
  const { method = 'POST', headers = {}, body } = request
  const mounting = { validateIp: false, ...options }
  const url = new URL(hooks.mount(mounting).url || '/', 'http://localhost')
  const handle = hookserver(hooks, mounting)
  return handle(new Request(url, { method, headers, ...(body !== undefined && { body: body as string }) }))
}
