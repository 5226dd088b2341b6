import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'
import type { ActionFunctionArgs } from 'react-router'

const hooks = new Hooks({
  secret: () => process.env.GITHUB_WEBHOOKS_KEY, // a function, because the build can import this file without the secret
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const receive = hookserver(hooks, {
  path: false, // React Router has matched the path
  clientAddress: (request) => request.headers.get('x-real-ip') ?? undefined, // your reverse proxy sets it
})
export const action = ({ request }: ActionFunctionArgs) => receive(request)
