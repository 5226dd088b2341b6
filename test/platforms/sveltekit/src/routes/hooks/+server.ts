import type { RequestHandler } from '@sveltejs/kit'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'
import { GITHUB_WEBHOOKS_KEY, HOOK_RANGES } from '$app/env/private'

const hooks = new Hooks({
  secret: () => GITHUB_WEBHOOKS_KEY, // a function, because the build imports this file without the secret
  ranges: HOOK_RANGES?.split(','),
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

const receive = hookserver(hooks, {
  path: false, // SvelteKit has matched the path
  clientAddress: (_request, event) => event.getClientAddress(),
})
export const POST: RequestHandler = (event) => receive(event.request, event)
