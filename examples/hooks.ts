/** A module for `npx hookserver serve examples/hooks.ts`. It contains only handlers, and no HTTP server. */
import { Hooks } from 'hookserver'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', ({ zen }) => zen)

hooks.hook('push', ({ ref, commits }, guid, delivery) => {
  delivery.log.info({ ref, commits: commits.length, guid }, 'Pushed')
  return { ref, commits: commits.length }
})

hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)

export default hooks
