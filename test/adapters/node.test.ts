import { createServer } from 'node:http'
import { hookserver } from '../../src/adapters/node.ts'
import { holdsAdapterContract } from './host.ts'

holdsAdapterContract('node:http', (mounts) => {
  const handlers = mounts.map(({ hooks, options, consumed }) => ({
    handle: hookserver(hooks, options),
    url: options.url,
    consumed,
  }))
  return createServer(async (request, response) => {
    const path = request.url?.split('?')[0]
    const { handle, consumed } = handlers.find(({ url }) => url === path) ?? (handlers[0] as (typeof handlers)[0])
    if (consumed) for await (const _ of request);
    await handle(request, response)
  })
})

holdsAdapterContract('connect middleware', (mounts) => {
  const handlers = mounts.map(({ hooks, options, consumed }) => ({
    handle: hookserver(hooks, options),
    consumed,
    url: options.url,
  }))
  return createServer(async (request, response) => {
    if (request.url === '/contract/consumed') for await (const _ of request);
    const [first, ...rest] = [...handlers]
    const run = (index: number): void => {
      const next = [first, ...rest][index]
      if (!next) response.writeHead(404).end()
      else void next.handle(request, response, () => run(index + 1))
    }
    run(0)
  })
})
