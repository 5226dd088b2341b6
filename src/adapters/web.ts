import type { HookError } from '../errors.ts'
import { isResponse } from '../http.ts'
import type { MountOptions } from '../options.ts'
import { pathOf } from './incoming.ts'
import { type Mountable, mount } from './mount.ts'
import { WebRequest } from './web-request.ts'

/** A function from `Request` to `Response`. The other arguments are the platform's (`env`, `ctx`, `server`, …). */
// biome-ignore lint/suspicious/noExplicitAny: the arguments of the platform
export type WebHandler = (request: Request, ...platform: any[]) => Promise<Response>

const cure = 'pass on the Request before other code reads it, or pass on a clone() that you made before'

/**
 * Serves deliveries on platforms that call a function with a `Request` and expect a `Response`: Next.js, SvelteKit,
 * Deno, Bun, Workers. The reply to a rejected request or after a failed handler is `application/problem+json`.
 * @throws {TypeError} when it mounts, if `validateIp` is `true` and `clientAddress` is missing.
 */
export function hookserver(hooks: Mountable, options?: MountOptions): WebHandler {
  const receiver = mount(
    hooks,
    options,
    { knowsAddress: false, clientAddresses: ['cloudflare', 'deno', 'bun'] },
    hookserver,
  )
  return async (request, ...platform) => {
    // In Bun and Deno, `request.url` is not a URL if the header `Host` is not valid.
    const path = receiver.path === false ? undefined : pathOf(request.url)
    const native = [request, ...platform] as const
    const delivery = new WebRequest(request, { path, native, waitUntil: waitUntilOf(platform), cure })
    try {
      const reply = await receiver.receive(delivery)
      return isResponse(reply) ? reply : new Response(reply.body, reply)
    } catch (error) {
      return (error as HookError).getResponse()
    }
  }
}

/** Workers, Vercel and Netlify pass an object with `waitUntil` among the arguments. */
function waitUntilOf(platform: readonly unknown[]): ((work: Promise<unknown>) => void) | undefined {
  type Context = { waitUntil(work: Promise<unknown>): void }
  const context = platform.find((one) => typeof (one as Context | null | undefined)?.waitUntil === 'function')
  return context ? (work) => (context as Context).waitUntil(work) : undefined
}
