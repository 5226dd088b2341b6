/** The handlers. Any number of servers can run them on one database. `npm run dev` serves them on this machine. */
import { Hooks } from 'hookserver'

// The secret comes from GITHUB_WEBHOOKS_KEY. `npm run dev` generates one if you set none.
// The server stores deliveries in the database of DATABASE_URL. Without DATABASE_URL, it uses the file hookserver.db.
const hooks = new Hooks()

hooks.hook('ping', ({ zen }) => zen)

// The name must never change, because the database stores it with each task. With `order`, all servers together handle
// the pushes of a repository one at a time, in order of receipt.
hooks.on('push', { name: 'pushed', order: 'repository' }, ({ payload, log }) => {
  log.info({ ref: payload.ref, commits: payload.commits.length }, 'Pushed') // stored with the attempt
})

hooks.hook('issues.opened', ({ issue }) => `#${issue.number} ${issue.title}`)

export default hooks
