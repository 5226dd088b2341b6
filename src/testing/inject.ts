import type { Mountable } from '../adapters/mount.ts'
import { hookserver } from '../adapters/web.ts'
import type { HooksOptions } from '../options.ts'

/**
 * Hands a request to `hooks` without a server: signature, headers and payload are checked, handlers run.
 * @param options As at a mount; `validateIp` is `false` unless given, since there is no address.
 * @returns The sender's answer. Rejections have the content type `application/problem+json`.
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
