/** The handlers. `npm run dev` serves them on this machine, and the image in a container. */
import { Hooks } from 'hookserver'

// The secret comes from GITHUB_WEBHOOKS_KEY. `npm run dev` generates one if you set none.
const hooks = new Hooks()

hooks.hook('ping', ({ zen }) => zen)

hooks.hook('push', ({ ref, commits }, _guid, delivery) => {
  delivery.log.info({ ref, commits: commits.length }, 'Pushed') // stored with the attempt
  return { ref, commits: commits.length }
})

hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)

export default hooks
