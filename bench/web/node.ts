/** `node bench/web/node.ts <module>`: serves the `fetch` of the module's default export with `@hono/node-server`. */
import { serve } from '@hono/node-server'

const { default: handler } = await import(process.argv[2] as string)
serve({ fetch: handler.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`listening on ${port}`))
