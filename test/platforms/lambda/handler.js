import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/lambda'

const { HOOK_RANGES } = process.env // empty if serverless.yml finds none

const hooks = new Hooks({
  // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses.
  ranges: HOOK_RANGES ? HOOK_RANGES.split(',') : undefined,
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => `${commits.length} commits`)

export const handler = hookserver(hooks)
