import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/web'

const hooks = new Hooks({ secret: "It's a Secret to Everybody", path: '/hooks', validateIp: false })
hooks.hook('push', () => 'ok')

export default { fetch: hookserver(hooks) }
