/** The application of the adapter contract on `hookserver/web`, for any runtime that has `Request` and `Response`. */

import { hookserver } from '../../dist/adapters/web.js'
import { contractMounts } from '../../dist/testing/contract/mounts.js'

type Handle = (request: Request, ...platform: unknown[]) => Promise<Response>

export function application(): Handle {
  const mounts = contractMounts({ clientAddress: () => '127.0.0.1' })
  const handlers = new Map(
    mounts.map(({ hooks, options, consumed }) => [
      options.url,
      { handle: hookserver(hooks, options) as Handle, consumed },
    ]),
  )
  const plain = handlers.get('/contract/plain') as { handle: Handle; consumed: boolean }
  return async (request, ...platform) => {
    const { handle, consumed } = handlers.get(new URL(request.url).pathname) ?? plain
    if (consumed) await request.text()
    return handle(request, ...platform)
  }
}
