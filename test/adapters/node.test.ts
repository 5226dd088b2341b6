import { createServer, type IncomingMessage } from 'node:http'
import { hookserver } from '../../src/adapters/node.ts'
import { holdsAdapterContract } from './host.ts'

const pathOf = (request: IncomingMessage) => request.url?.split('?')[0]

holdsAdapterContract('node:http', (mounts) => {
  const handlers = new Map(mounts.map(({ hooks, options }) => [options.url, hookserver(hooks, options)]))
  const plain = handlers.get('/contract/plain') as ReturnType<typeof hookserver>
  const consumed = mounts.filter((mount) => mount.consumed).map(({ options }) => options.url)
  return createServer(async (request, response) => {
    const path = pathOf(request) ?? ''
    if (consumed.includes(path)) for await (const _ of request);
    await (handlers.get(path) ?? plain)(request, response)
  })
})

holdsAdapterContract('connect middleware', (mounts) => {
  const handlers = mounts.map(({ hooks, options }) => hookserver(hooks, options))
  const consumed = mounts.filter((mount) => mount.consumed).map(({ options }) => options.url)
  return createServer(async (request, response) => {
    if (consumed.includes(pathOf(request) ?? '')) for await (const _ of request);
    const run = (index: number): void => {
      const handle = handlers[index]
      if (handle) void handle(request, response, () => run(index + 1))
      else response.writeHead(404).end()
    }
    run(0)
  })
})
