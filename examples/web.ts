/**
 * A platform that calls `fetch(request)`, here Bun: `GITHUB_WEBHOOKS_KEY=secret bun examples/web.ts`. On Workers, omit
 * `port` and set `clientAddress: 'cloudflare'`. With `deno serve`, set `clientAddress: 'deno'`.
 */
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', () => 'pong')
hooks.hook('*', (_data, guid, { event }) => `${event} ${guid}`)

export default {
  port: Number(process.env.PORT ?? 8000),
  fetch: hookserver(hooks, { clientAddress: 'bun' }),
}
