/**
 * A program for the tests of the adapter contract. It serves the mounts of the contract with `hookserver/web`, in any
 * runtime that has `Request` and `Response`.
 */
import type { hookserver } from '../../src/adapters/web.ts'
import type { ContractMount } from '../../src/testing/index.ts'

/** The caller imports the adapter and the mounts from `src` or from the published package, and passes them. */
export function application(adapter: typeof hookserver, mounts: ContractMount[]): ReturnType<typeof hookserver> {
  const handlers = new Map(
    mounts.map(({ hooks, options, consumed }) => [options.path, { handle: adapter(hooks, options), consumed }]),
  )
  const plain = handlers.get('/contract/plain') as { handle: ReturnType<typeof hookserver>; consumed: boolean }
  return async (request, ...platform) => {
    const { handle, consumed } = handlers.get(new URL(request.url).pathname) ?? plain
    if (consumed) await request.text()
    return handle(request, ...platform)
  }
}
