import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/lambda'

const hooks = new Hooks({ secret: process.env.GITHUB_WEBHOOKS_KEY, path: '/hooks', validateIp: false })
hooks.hook('push', () => 'ok')

export const handler = hookserver(hooks)
